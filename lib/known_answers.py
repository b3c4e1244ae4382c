"""SYNTHETIC corpora whose true answer is known: what the study must find on them, or it measures something else.

`python -m lib.known_answers NAME FILE.csv [--texts N] [--seed S]` writes one in the columns of the embedded corpus, for
`make run CORPUS=FILE.csv`. The words are invented and follow one small grammar: a text has a theme, nouns and verbs
belong to a theme, some words are more common than others. Levels are equally large; no learner or prompt has two.
"""

import argparse
import functools

import numpy as np
import pandas as pd

from lib.runs import LEVELS, write_table
from lib.synthetic import COLUMNS, L1S

THEMES = 2
SIZES = {"determiner": 2, "adjective": 3, "noun": 3 * THEMES, "verb": 2 * THEMES, "preposition": 2, "adverb": 2}
LEARNERS = 200  # at a level, where the texts suffice
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def identical_levels(n_texts=3000, seed=1):
    """All levels speak alike: a level's own model gains 0 over the general one, since the level is only a label."""
    write = functools.partial(_text, lexicons(1)[0])
    return _corpus(dict.fromkeys(LEVELS, write), n_texts, seed)


def disjoint_vocabularies(n_texts=3000, seed=1):
    """No two levels share a word: the own model gains 0, since any word left shows the level.

    Words are drawn one by one, so that nothing else is to be learned and little training is left undone. Where a whole
    text is blanked, nothing is left; there the general model pays up to ln 5 nats, once a text.
    """
    writers = [functools.partial(_words, sum(lexicon.values(), [])) for lexicon in lexicons(len(LEVELS))]
    return _corpus(dict(zip(LEVELS, writers)), n_texts, seed)


CORPORA = {"identical_levels": identical_levels, "disjoint_vocabularies": disjoint_vocabularies}


def lexicons(n):
    """n disjoint lexicons {part of speech: words}, always the same; words are two syllables long."""
    words = [first + second for first in SYLLABLES for second in SYLLABLES]
    words = iter(np.random.default_rng(0).permutation(words).tolist())
    return [{part: [next(words) for _ in range(size)] for part, size in SIZES.items()} for _ in range(n)]


def _corpus(writers, n_texts, seed):
    """n_texts rows in COLUMNS, as many at each level; writers: level -> function of a generator that returns a text."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, (level, write) in enumerate(writers.items()):
        for learner in _authors(len(range(number, n_texts, len(writers))), rng):
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
    """Who writes each text: learners 0, 1, ...; each writes once, the earlier ones more of what remains."""
    learners = min(n_texts, max(LEARNERS, n_texts // 4))
    more = (learners * rng.random(n_texts - learners) ** 2).astype(int)
    return [*range(learners), *more.tolist()]


def _text(lexicon, rng):
    """2 to about 12 sentences, mostly on one theme; their number varies, so that it gives no answer's length away."""
    theme, text = rng.integers(THEMES), ""
    for _ in range(2 + rng.poisson(3)):
        words = _sentence(lexicon, theme if rng.random() < 0.85 else rng.integers(THEMES), rng)
        text += ("\n" if rng.random() < 0.1 else " ") + " ".join(words).capitalize() + "."
    return text.strip()


def _words(vocabulary, rng):
    """2 to about 12 sentences of 3 to 8 words, each word drawn for itself, the earlier ones of the list more often."""
    text = ""
    for _ in range(2 + rng.poisson(3)):
        drawn = [vocabulary[int(len(vocabulary) * rng.random() ** 1.7)] for _ in range(rng.integers(3, 9))]
        text += " " + " ".join(drawn).capitalize() + "."
    return text.strip()


def _sentence(lexicon, theme, rng):
    def word(part):
        words = lexicon[part][theme::THEMES] if part in ("noun", "verb") else lexicon[part]
        return words[int(len(words) * rng.random() ** 1.7)]

    def phrase():
        return [word("determiner"), *([word("adjective")] if rng.random() < 0.4 else []), word("noun")]

    words = [*phrase(), word("verb"), *phrase()]
    words += [word("preposition"), *phrase()] if rng.random() < 0.4 else []
    return words + ([word("adverb")] if rng.random() < 0.3 else [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=CORPORA)
    parser.add_argument("file", help="the CSV file to write")
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write_table(CORPORA[options.name](options.texts, options.seed), options.file)
