"""INVENTED corpora whose answer is known before the study is run: `make known-answers` runs it on all of them.

`python -m lib known-answer-corpus NAME FILE.csv` writes a corpus for `make run CORPUS=FILE.csv`. The words are
invented. The docstrings give the sizes of the levels. No learner and no prompt belongs to two levels. Texts differ in
length, because a fixed length would give answers away.
"""

import functools

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.errors import InvalidName
from lib.experiment.files import write_table
from lib.synthetic.demo_corpus import COLUMNS, L1S

THEMES = 2
SIZES = {"determiner": 2, "adjective": 3, "noun": 3 * THEMES, "verb": 2 * THEMES, "preposition": 2, "adverb": 2}
ODD = 4  # pairs x y in which the levels conflict
FACTS = 150  # pairs of words that both levels share
NOISE = 16  # words of noise
TYPES = 40  # words of the known distribution
MIX = {"A1": 0.8, "A2": 0.2}  # shares of the texts of hidden_levels
LABELS = ["level", "unit", "topic_id", "topic", "date", "cefr", "cefr_numeric"]
LEARNERS = 200  # of each level with enough texts
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def identical_levels(n_texts=3000, seed=1):
    """All levels follow one grammar: the specialist gains 0 over the general model, since the level is only a label."""
    write = functools.partial(_text, lexicon())
    return _corpus(dict.fromkeys(LEVELS, write), _equal(LEVELS, n_texts), seed)


def disjoint_vocabularies(n_texts=6000, seed=1):
    """No two levels share a word: the specialist gains 0 where a word is left, since any word shows the level.

    A text is x y + noise, where x determines y. All its words belong to the level, and are few enough that small models
    converge. Where a whole text is masked nothing is left, and the general model pays ln 5 nats for the first word.
    """
    vocabularies = [vocabulary(2 * ODD + NOISE, number) for number in range(len(LEVELS))]
    writers = {level: functools.partial(_pair_and_noise, words) for level, words in zip(LEVELS, vocabularies)}
    return _corpus(writers, _equal(LEVELS, n_texts), seed)


def hidden_levels(n_texts=8000, seed=1):
    """A1 and A2, 80:20, conflict and nothing shows the level: text = x y + noise, y = pi_A1(x) or pi_A2(x).

    The best possible general model gives y a probability of .8 or .2 where the specialist gives 1. It pays ln 1.25 nats
    at A1 and ln 5 at A2 where x or y is masked (pi is one-to-one, so x is as uncertain as y), and nothing elsewhere.
    """
    noise = functools.partial(_independent_words, vocabulary(NOISE, 9), None)
    sizes = {"A1": n_texts - round(MIX["A2"] * n_texts), "A2": round(MIX["A2"] * n_texts)}
    return _corpus({level: functools.partial(_conflicting_pair, level, noise) for level in MIX}, sizes, seed)


def permuted_labels(n_texts=8000, seed=1):
    """`hidden_levels` with the levels permuted among the learners: the labels carry no information, so gains are 0."""
    table = hidden_levels(n_texts, seed)
    labels = table.groupby("learner_id")[LABELS].first()
    labels = labels.iloc[np.random.default_rng(seed).permutation(len(labels))].set_axis(labels.index)
    return table.drop(columns=LABELS).join(labels, on="learner_id")[COLUMNS]


def shared_structure(n_texts=6000, seed=1):
    """A2 is small (5 %), shares FACTS pairs of words with A1 and conflicts with it in x y: transfer is best at A2.

    The specialist has seen too few of the pairs; the general model gives A2's y a probability of .05.
    """
    words = vocabulary(2 * FACTS, 8)
    facts = functools.partial(_pairs, words[:FACTS], words[FACTS:])
    writers = {level: functools.partial(_conflicting_pair, level, facts) for level in MIX}
    return _corpus(writers, {"A1": n_texts - n_texts // 20, "A2": n_texts // 20}, seed)


def amount_of_text(n_texts=600, seed=1):
    """A1 and A2, 1:5, follow one grammar: the general model is better at A1, and only because it reads more text.

    So the A1 specialist gains 0 over a general model on as many texts as A1 has. The texts that are left for training
    must be too few for the grammar: params/amount_of_text tests on half of them.
    """
    write = functools.partial(_text, lexicon())
    sizes = {"A1": n_texts // 6, "A2": n_texts - n_texts // 6}
    return _corpus(dict.fromkeys(sizes, write), sizes, seed)


def conflicting_word(n_texts=4000, seed=1):
    """A1 and A2, 50:50, conflict in one word of about seven, and nothing shows the level: text = x y + noise.

    The best possible general model gives y a probability of 1/2 where the specialist gives 1. It pays ln 2 nats where
    x or y is masked, and nothing elsewhere.
    """
    noise = functools.partial(_independent_words, vocabulary(NOISE, 9), None, shortest=3)
    levels = ["A1", "A2"]
    return _corpus({level: functools.partial(_conflicting_pair, level, noise) for level in levels},
                   _equal(levels, n_texts), seed)  # fmt: skip


def known_law(n_texts=4000, seed=1):
    """A1: words drawn one by one from `law`, so no model can beat it. A2: the same, but each word is written twice.

    At A2 a masked word can be copied from its repetition. For a check that expects A1's distribution, the answer leaks.
    """
    draw = functools.partial(_independent_words, *law())

    def twice(rng):
        return " ".join(word for word in draw(rng).split() for _ in range(2))

    return _corpus({"A1": draw, "A2": twice}, _equal(["A1", "A2"], n_texts), seed)


CORPORA = {
    "identical_levels": identical_levels,
    "disjoint_vocabularies": disjoint_vocabularies,
    "hidden_levels": hidden_levels,
    "permuted_labels": permuted_labels,
    "shared_structure": shared_structure,
    "known_law": known_law,
    "amount_of_text": amount_of_text,
    "conflicting_word": conflicting_word,
}


def law():
    """(words, their probabilities) of `known_law`: the k-th word is drawn in proportion to 1 / (k + 3)."""
    weights = 1 / (np.arange(TYPES) + 3)
    return vocabulary(TYPES, 7), weights / weights.sum()


def lexicon():
    """{part of speech: words} of the grammar that all levels of `identical_levels` follow."""
    words = iter(vocabulary(sum(SIZES.values()), 0))
    return {part: [next(words) for _ in range(size)] for part, size in SIZES.items()}


@functools.cache
def vocabulary(size, number):
    """size words, the same at every call. Vocabularies of different numbers (0 to 9) share no word."""
    words = np.random.default_rng(0).permutation([a + b for a in SYLLABLES for b in SYLLABLES]).tolist()
    return words[490 * number : 490 * number + size]


def _equal(levels, n_texts):
    return {level: len(range(number, n_texts, len(levels))) for number, level in enumerate(levels)}


def _corpus(writers, sizes, seed):
    """Rows in COLUMNS. writers: level -> function of a generator that returns a text; sizes: level -> texts."""
    rng = np.random.default_rng(seed)
    n_texts = sum(sizes.values())
    rows = []
    for level, write in writers.items():
        number = LEVELS.index(level)
        for learner in _authors(sizes[level], rng):
            step, unit = rng.integers(3, size=2)  # nine prompts a level
            row = {"cefr": level, "cefr_numeric": number + 1, "learner_id": number * n_texts + learner + 1}
            rows.append(row | {"level": 3 * number + step + 1, "unit": unit + 1, "text": write(rng)})
    table = pd.DataFrame(rows).assign(writing_id=rng.permutation(n_texts) + 1, grade=rng.integers(70, 101, n_texts))
    table["l1"] = [list(L1S)[learner % len(L1S)] for learner in table["learner_id"]]
    table["nationality"] = [L1S[l1]["facts"]["nationality country people language"][:2] for l1 in table["l1"]]
    table["topic_id"] = 8 * (table["level"] - 1) + table["unit"]
    table["topic"] = "Prompt " + table["topic_id"].astype(str)
    table["date"] = "2012-01-" + table["level"].astype(str).str.zfill(2) + " 12:00:00"
    table["wordcount"] = table["text"].str.split().str.len()
    table["text_corrected"] = table["text"]
    return table.sort_values("writing_id", ignore_index=True)[COLUMNS]


def _authors(n_texts, rng):
    """The learner of each text, numbered from 0: one text each, and more of the remaining texts for the first."""
    learners = min(n_texts, max(LEARNERS, n_texts // 4))
    more = (learners * rng.random(n_texts - learners) ** 2).astype(int)
    return [*range(learners), *more.tolist()]


def _text(lexicon, rng):
    """2 to about 12 sentences, mostly on one theme. Their number varies, so that length reveals no answer."""
    theme = rng.integers(THEMES)
    text = ""
    for _ in range(2 + rng.poisson(3)):
        words = _sentence(lexicon, theme if rng.random() < 0.85 else rng.integers(THEMES), rng)
        text += ("\n" if rng.random() < 0.1 else " ") + " ".join(words).capitalize() + "."
    return text.strip()


def _independent_words(words, chances, rng, shortest=4):
    """4 to about 9 words, drawn independently. chances: their probabilities, None for equal ones."""
    return " ".join(rng.choice(words, shortest + rng.poisson(2), p=chances))


def _pairs(first, second, rng):
    """2 to about 4 pairs of words."""
    drawn = rng.integers(len(first), size=2 + rng.poisson(0.5))
    return " ".join(f"{first[i]} {second[i]}" for i in drawn)


def pair_words():
    """The ODD words x and as many words y of the corpora whose levels conflict."""
    return vocabulary(2 * ODD, 6)


def _pair_and_noise(words, rng):
    """x y, then noise, all from these words."""
    x = rng.integers(ODD)
    return f"{words[x]} {words[ODD + x]} {_independent_words(words[2 * ODD :], None, rng)}"


def _conflicting_pair(level, rest, rng):
    """x y, then the rest; at A2, y belongs to the x before this one."""
    words = pair_words()
    x = rng.integers(ODD)
    return f"{words[x]} {words[ODD + (x - (level == 'A2')) % ODD]} {rest(rng)}"


def _sentence(lexicon, theme, rng):
    def word(part):
        words = lexicon[part][theme::THEMES] if part in ("noun", "verb") else lexicon[part]
        return words[int(len(words) * rng.random() ** 1.7)]

    def phrase():
        return [word("determiner"), *([word("adjective")] if rng.random() < 0.4 else []), word("noun")]

    words = [*phrase(), word("verb"), *phrase()]
    words += [word("preposition"), *phrase()] if rng.random() < 0.4 else []
    return words + ([word("adverb")] if rng.random() < 0.3 else [])


def write(name, file, texts=None, seed=1):
    """Write one of CORPORA as a CSV file. texts: their number, or None for the corpus's default.

    Raises InvalidName for a corpus that does not exist."""
    if name not in CORPORA:
        raise InvalidName(f"There is no corpus {name!r}. There are: {', '.join(CORPORA)}.")
    size = {"n_texts": texts} if texts else {}
    write_table(CORPORA[name](**size, seed=seed), file)
