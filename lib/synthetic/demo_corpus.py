"""SYNTHETIC learner English in the columns of EFCAMDAT's cleaned subcorpus (Shatz 2020).

No sentence, person, grade or date is real: correct English is drawn from templates in demo_corpus.yaml, then gets the
errors that writers of a level and first language make.
"""

import functools
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from lib.experiment.files import write_table

SYNTHETIC = "synthetic texts, made by lib/synthetic/demo_corpus.py: no learner wrote them"
COLUMNS = ["writing_id", "learner_id", "level", "unit", "topic_id", "topic", "date", "grade", "nationality", "l1",
           "cefr", "cefr_numeric", "wordcount", "text", "text_corrected"]  # fmt: skip
DATA = yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
PROMPTS, L1S, EXAMPLE_LEARNER = DATA["prompts"], DATA["l1s"], DATA["walk"]
NAMES = "|".join(l1["names"] for l1 in L1S.values())
SITES = 6  # decisions drawn for a rule and text; at more places than that they repeat, as habits do


def embedded_corpus(n_texts=3300, seed=2020):
    """The default corpus: n_texts (100 or more) rows in COLUMNS, str and int, the same for the same arguments.

    Learners write about four texts and only climb; a prompt belongs to one level; level shares, errors and the small
    shares of dirt are those of demo_corpus.yaml. text_corrected is the text without its spelling errors.
    """
    rng = np.random.default_rng(seed)
    careers = list(_learner_histories(n_texts, rng))
    learners = zip(_ids(len(careers), EXAMPLE_LEARNER["learner_id"], rng), careers)
    rows = [row for learner_id, career in learners for row in _learner(learner_id, career, rng)]
    rows[0] |= {column: EXAMPLE_LEARNER[column] for column in ("text", "text_corrected")}
    _add_noise(rows, rng)
    table = pd.DataFrame(rows).assign(writing_id=_ids(n_texts, EXAMPLE_LEARNER["writing_id"], rng))
    table["topic_id"] = 8 * (table["level"] - 1) + table["unit"]
    table["cefr_numeric"] = (table["level"] + 2) // 3
    table["wordcount"] = table["text"].str.split().str.len()
    return table.sort_values("writing_id", ignore_index=True)[COLUMNS]


def _ids(n, first, rng):
    """n different ids below 100,000; the first is given: the first learner's first text walks through the study."""
    return [first, *rng.choice(np.delete(np.arange(1, 100_000), first - 1), n - 1, replace=False).tolist()]


def _learner_histories(n_texts, rng):
    """Yield, learner by learner, the prompts she or he answers, until every level has its share of n_texts."""
    left = {level: round(n_texts * one["share"]) for level, one in DATA["levels"].items()}
    left["A1"] += n_texts - sum(left.values())
    position = [prompt["topic"] for prompt in PROMPTS].index(EXAMPLE_LEARNER["topic"])
    while any(left.values()):
        career, length = [], 1 + rng.negative_binomial(1.6, 0.33)
        while len(career) < length and position < len(PROMPTS) and left[PROMPTS[position]["at"][0]]:
            career.append(PROMPTS[position])
            left[PROMPTS[position]["at"][0]] -= 1
            position += 1 + int(rng.random() < 0.25)
        yield career
        waiting = np.array([left[prompt["at"][0]] for prompt in PROMPTS])
        position = rng.choice(len(PROMPTS), p=waiting / waiting.sum()) if waiting.any() else 0


def _learner(learner_id, career, rng):
    """The rows of one learner, in the order of their dates."""
    facts = _facts(EXAMPLE_LEARNER["facts"] if learner_id == EXAMPLE_LEARNER["learner_id"] else {}, rng)
    proneness = rng.lognormal(-0.08, 0.4)  # to errors, next to other learners of the level and first language
    minutes = rng.integers(700 * 24 * 60) + np.cumsum(rng.integers(2 * 24 * 60, 45 * 24 * 60, len(career)))
    for prompt, minute in zip(career, minutes):
        row = {"learner_id": learner_id, "topic": prompt["topic"], "l1": facts["l1"]}
        row |= {"nationality": facts["nationality"], **dict(zip(["cefr", "level", "unit"], prompt["at"]))}
        row["date"] = str(pd.Timestamp(2011, 1, 3) + pd.Timedelta(minutes=int(minute)))
        row["grade"] = int(np.clip(rng.normal(92 - 4 * proneness, 5), 55, 100))
        text = compose(prompt, facts, rng)
        for kind in ("variants", "errors", "surface", "spelling"):
            row["text_corrected"] = _tidy(text) if kind in ("errors", "surface") else text
            text = _reworded(row["text_corrected"], kind, row["l1"], row["cefr"], proneness, rng)
        yield row | {"text": text}


def _facts(fixed, rng):
    """A learner's first language and what stays the same in all texts: name, city, job, family, hobby ..."""
    shares = np.array([l1["share"] for l1 in L1S.values()])
    facts = {"l1": list(L1S)[rng.choice(len(shares), p=shares / shares.sum())]} | fixed
    home = L1S[facts["l1"]]
    for keys, values in (DATA["facts"] | home["facts"]).items():
        facts = dict(zip(keys.split(), _pick(values, rng).strip().split("/"))) | facts
    names = home["names"].split("|")  # women's and men's in turn
    women, men = rng.permutation(names[::2]).tolist(), rng.permutation(names[1::2]).tolist()
    facts = {"name": (women, men)[rng.integers(2)][0], "kinname": (women if facts["he"] == "she" else men)[1]} | facts
    return facts | {"dish": home["dish"], "friend": (women if facts["fhe"] == "she" else men)[2]}


def compose(prompt, facts, rng):
    """A text in correct English: a start, as much of the body as the level's length asks for, often an end."""
    cefr, form = prompt["at"][0], DATA["forms"][prompt.get("form", "plain")]
    words = DATA["common"] | prompt | facts
    write = functools.partial(_write, words=words, used=set(), rng=rng)
    words |= {key: write(_pick(values, rng)) for key, values in prompt.get("once", {}).items()}
    parts = prompt["body"], DATA["frames"].get(cefr, []) if "pro" in prompt else []
    moves = [move for _, move in sorted((i / len(part), move) for part in parts for i, move in enumerate(part))]
    start, end = write(_pick(prompt["start"], rng)), write(_pick(prompt["end"], rng))
    end = "" if cefr < "B1" and rng.random() < 0.3 else end
    missing, body = DATA["levels"][cefr]["words"] * rng.lognormal(0, 0.25) - len(f"{start} {end}".split()), {}
    for i in rng.permutation(len(moves)):
        if missing > 0 or not body:
            body[i] = write(moves[i])
            missing -= len(body[i].split())
    body = [body[i] for i in sorted(body)]  # chosen by chance, told in order
    cut = len(body) // 2 if rng.random() < 0.5 else 0
    lines = [[start, *body, end]] if cefr < "B1" else [[start], body[:cut], body[cut:], [end]]
    lines = [[write(form["open"])], *lines, [write(form["close"])]]
    separator = "\n" if rng.random() < DATA["lines"][cefr] else " "
    return _tidy(separator.join(" ".join(line) for line in lines if any(line)))


def _write(template, words, used, rng):
    """Fill (a|b) and <word list:form>, seldom with the same entry twice in a text."""

    def fill(match):
        draws = [_pick(words[match[1]], rng).lstrip() for _ in range(4)]
        entry = next((draw for draw in draws if draw not in used), draws[0])
        used.add(entry)
        return inflect(_write(entry, words, used, rng), match[2]) if match[2] else entry

    found = True
    while found:
        template, found = re.subn(r"\(([^()]*)\)", lambda match: _pick(match[1], rng), template)
        if not found:
            template, found = re.subn(r"<(\w+)(?::(\w+))?>", fill, template)
    return template


def _pick(options, rng):
    """One of a list or of "a|b|c", the earlier ones a little likelier."""
    options = options.split("|") if isinstance(options, str) else options
    return options[int(len(options) * rng.random() ** 1.25)]


def inflect(phrase, form):
    """The phrase with its first verb in form s, ed, en or ing: inflect("eat fish", "ed") is "ate fish"."""
    verb, _, rest = phrase.partition(" ")
    if form in ("ed", "en") and verb in DATA["irregular"]:
        return f"{DATA['irregular'][verb][form == 'en']} {rest}".rstrip()
    end, replacement = next(rule for rule in DATA["endings"][form.replace("en", "ed")] if re.search(rule[0], verb))
    return f"{re.sub(end, replacement, verb, count=1)} {rest}".rstrip()


def _tidy(text):
    text = re.sub(r" +(['’,.!?\n])", r"\1", re.sub(" +", " ", text)).strip()
    text = re.sub(r"\b([Aa]) (?=[aei]|o(?!ne\b)|un[^i]|hour|honest)", r"\1n ", text)
    return re.sub(r"(^|[.!?]\s|\n)([a-z])", lambda match: match[0].upper(), text)


@functools.cache
def _rules(kind, l1, cefr):
    """(pattern, what to put) of each rule, and its rate for a first language, its family, the level, or all."""
    rules, rates = [], []
    for find, *put, rate in DATA[kind]:
        ignore_case = re.I if kind in ("variants", "errors") else 0
        rules.append((re.compile(find, ignore_case), *put) if put else (re.compile(r"[\w']+"), find))
        rates.append(next((rate[key] for key in (l1, L1S[l1]["family"], cefr, "all") if key in rate), 0))
    return rules, np.array(rates)


def _reworded(text, kind, l1, cefr, proneness, rng):
    """The text with variants, or with errors, surface errors or spelling errors, as often as the writer makes them."""
    rules, rates = _rules(kind, l1, cefr)
    hits = rng.random((len(rules), SITES)) < proneness * DATA["levels"][cefr][kind] * rates[:, None]

    def change(match):
        if isinstance(put, dict) and match[0].lower() not in put or not next(hit):
            return match[0]
        if isinstance(put, dict):
            return put[match[0]] if match[0] in put else put[match[0].lower()].capitalize()
        return match[0].lower() if put == "lower" else match.expand(put)

    for i in np.flatnonzero(hits.any(axis=1)):
        (pattern, put), hit = rules[i], itertools.cycle(hits[i].tolist())
        text = pattern.sub(change, text)
    return text


NOISE = {  # ways to dirty a text (and its corrected form alike), given its prompt
    "question_copied": lambda text, prompt: f"{prompt['ask']} {text}",
    "model_answer_copied": lambda text, prompt: f"{_model_answer(prompt)} {text}",
    "glued": lambda text, prompt: re.sub(r"([a-z][.!?]) (?=[A-Z])", r"\1", text, count=2),
    "curly_quotes": lambda text, prompt: re.sub(r'"\b', "“", text.replace("'", "’")).replace('"', "”"),
    "emoji": lambda text, prompt: f"{text} {DATA['emoji'][len(text.split()) % len(DATA['emoji'])]}",
    "doubled_apostrophes": lambda text, prompt: text.replace("'", "''"),
    "masked_names": lambda text, prompt: re.sub(rf"\b(?:{NAMES})\b", "xxx", text),
    "near_duplicate": lambda text, prompt: re.sub(r"^(\S+ \S+ \S+) \S+(.*) \S+ (\S+)$", r"\1\2 \3", text, flags=re.S),
    "duplicate": lambda text, prompt: text,
}


def _model_answer(prompt):
    """The sentence that every learner could have copied from the same page."""
    rng = np.random.default_rng(prompt["at"][1:])
    return compose(prompt, _facts(EXAMPLE_LEARNER["facts"], rng), rng).split(". ")[0] + "."


def _add_noise(rows, rng):
    """Change small shares of the rows, never the walking learner's, in the ways of SOIL."""
    rows = [rows[i] for i in rng.permutation(len(rows)) if rows[i]["learner_id"] != EXAMPLE_LEARNER["learner_id"]]
    prompts, spare = {prompt["topic"]: prompt for prompt in PROMPTS}, iter(rows)
    for kind, share in DATA["dirt"].items():
        missing = max(1, round(share * len(rows)))
        while missing:
            row = next(spare)
            prompt, sources = prompts[row["topic"]], [row]
            if "duplicate" in kind:
                sources = [r for r in rows if r["topic"] == row["topic"] and r["learner_id"] != row["learner_id"]]
            source = sources[rng.integers(len(sources))]
            soiled = {column: NOISE[kind](source[column], prompt) for column in ("text", "text_corrected")}
            if soiled["text"].count("xxx") < soiled["text_corrected"].count("xxx"):
                continue  # a misspelt name stays readable; take another text
            missing -= soiled["text"] != row["text"]
            row |= soiled
    for text in DATA["oddities"]:
        next(spare).update(text=text, text_corrected=text)


def write(file):
    """The embedded corpus as a CSV file."""
    write_table(embedded_corpus(), file)
    print(f"{file}: {SYNTHETIC}")
