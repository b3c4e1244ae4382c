"""SYNTHETIC learner English in the columns of EFCAMDAT's cleaned subcorpus (Shatz 2020).

No sentence, person, grade or date is real: correct English is drawn from the templates in synthetic.yaml, then gets the
errors that writers of a level and first language make. Write the default corpus with `python -m lib.synthetic FILE.csv`.
"""

import functools
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from lib.runs import LEVELS, write_table

SYNTHETIC = "Synthetic texts written by lib/synthetic.py; no learner wrote them."
COLUMNS = ["writing_id", "learner_id", "level", "unit", "topic_id", "topic", "date", "grade", "nationality", "l1"]
COLUMNS += ["cefr", "cefr_numeric", "wordcount", "text", "text_corrected"]
IDS = np.arange(1, 100_000)  # writing and learner ids

CHOICE = re.compile(r"\(([^()]*)\)")  # innermost (a|b)
SLOT = re.compile(r"<(\w+)(?::(\w+))?>")  # <word list> or <word list:form>
SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] )|(?<=\n)|(?<=[.!?]\n))[a-z]")


def embedded_corpus(n_texts=3600, seed=2020):
    """The default corpus: n_texts rows in COLUMNS, str and int, the same for the same arguments on any machine.

    Learners write about four texts and only climb; a prompt belongs to one level; level shares, errors and the small
    shares of dirt are those of synthetic.yaml. text_corrected undoes spelling errors only.
    """
    rng = np.random.default_rng(seed)
    careers = list(_careers(n_texts, rng))
    learner_ids = _ids(len(careers), data()["walk"]["learner_id"], rng)
    rows = [row for number, career in zip(learner_ids, careers) for row in _learner_rows(int(number), career, rng)]
    table = pd.DataFrame(rows).assign(writing_id=_ids(n_texts, data()["walk"]["writing_id"], rng))
    _soil(table, rng)
    table["wordcount"] = table["text"].str.split().str.len()
    return table.sort_values("writing_id", ignore_index=True)[COLUMNS]


@functools.cache
def data():
    return yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


def _ids(n, first, rng):
    """n different ids; the first is given, since the first learner's first text walks through the study."""
    return np.concatenate([[first], rng.choice(IDS[IDS != first], n - 1, replace=False)])


def _careers(n_texts, rng):
    """Yield, learner by learner, the prompts she or he answers; levels fill up to their share of n_texts."""
    prompts = data()["prompts"]
    cefr = [LEVELS[(prompt["at"][0] - 1) // 3] for prompt in prompts]
    left = {level: round(n_texts * data()["levels"][level]["share"]) for level in LEVELS}
    left["A1"] += n_texts - sum(left.values())
    position = [prompt["topic"] for prompt in prompts].index(data()["walk"]["topic"])
    while any(left.values()):
        career = []
        for _ in range(1 + rng.negative_binomial(1.6, 0.3)):
            if position >= len(prompts) or not left[cefr[position]]:
                break
            career.append((prompts[position], cefr[position]))
            left[cefr[position]] -= 1
            position += 1 + int(rng.random() < 0.25)
        yield career
        waiting = np.array([left[level] for level in cefr])
        position = rng.choice(len(prompts), p=waiting / waiting.sum()) if waiting.any() else 0


def _learner_rows(learner_id, career, rng):
    """The rows of one learner, in the order of their dates."""
    walk = data()["walk"] if learner_id == data()["walk"]["learner_id"] else None
    l1, facts = _facts(walk, rng)
    proneness = rng.lognormal(-0.08, 0.4)  # to errors, against other learners of the level and first language
    date = pd.Timestamp(2011, 1, 3) + pd.Timedelta(int(rng.integers(700 * 24 * 60)), "min")
    for prompt, cefr in career:
        if walk and prompt["topic"] == walk["topic"]:
            text, corrected = walk["text"], walk["text_corrected"]
        else:
            corrected = with_errors(compose(prompt, cefr, facts, rng), l1, cefr, rng, ["errors", "surface"], proneness)
            text = with_errors(corrected, l1, cefr, rng, ["spelling"], proneness)
        level, unit = prompt["at"]
        yield {
            "learner_id": learner_id, "level": level, "unit": unit, "topic_id": 8 * (level - 1) + unit,
            "topic": prompt["topic"], "date": str(date), "grade": int(np.clip(rng.normal(89 - 3 * proneness, 6), 55, 100)),
            "nationality": facts["nationality"], "l1": l1, "cefr": cefr, "cefr_numeric": LEVELS.index(cefr) + 1,
            "text": text, "text_corrected": corrected,
        }  # fmt: skip
        date += pd.Timedelta(int(rng.integers(2 * 24 * 60, 45 * 24 * 60)), "min")


def _facts(walk, rng):
    """A learner's first language and what stays the same in her or his texts: name, city, job, family, hobby."""
    l1s = data()["l1s"]
    shares = np.array([l1["share"] for l1 in l1s.values()])
    l1 = walk["l1"] if walk else list(l1s)[rng.choice(len(shares), p=shares / shares.sum())]
    facts = {"dish": l1s[l1]["dish"], "feast": l1s[l1]["feast"], "city": _pick(l1s[l1]["cities"], rng)}
    for names, values in {**data()["facts"], "nationality country people language": l1s[l1]["homes"]}.items():
        facts |= zip(names.split(), _pick(values, rng).split("/"))
    names = _options(l1s[l1]["names"])  # women's and men's in turn
    women, men = rng.permutation(names[::2]), rng.permutation(names[1::2])
    facts |= {"name": str((women, men)[rng.integers(2)][0])}
    facts |= {"kinname": str((women if facts["he"] == "she" else men)[1])}
    facts |= {"friend": str((women if facts["fhe"] == "she" else men)[2])}
    return l1, facts | (walk["facts"] if walk else {})


def compose(prompt, cefr, facts, rng):
    """A text on the prompt in correct English: start, as much of the body as the level's length asks, often an end."""
    once = {name: _pick(values, rng) for name, values in prompt.get("once", {}).items()}
    pen = Pen(data()["common"] | {k: v for k, v in prompt.items() if isinstance(v, str)} | once | facts, rng)
    form, wanted = data()["forms"].get(prompt.get("form")), data()["levels"][cefr]["words"] * rng.lognormal(0, 0.25)
    frames = data()["frames"].get(cefr, []) if "pro" in prompt else []
    moves = sorted((i / len(part), move) for part in (prompt["body"], frames) for i, move in enumerate(part))
    start = pen.write(_pick(prompt["start"], rng))
    end = pen.write(_pick(prompt["end"], rng)) if form or cefr > "A2" or rng.random() < 0.6 else ""
    words, body = len((start + end).split()), {}
    for i in rng.permutation(len(moves)):
        if words >= wanted and body:
            break
        body[i] = pen.write(moves[i][1])
        words += len(body[i].split())
    body = [body[i] for i in sorted(body)]
    parts = [[start], body[: len(body) // 2], body[len(body) // 2 :], [end]]
    if cefr < "B1" or len(body) < 4 or rng.random() < 0.5:
        parts = [[start, *body, end]] if cefr < "B1" else [[start], body, [end]]
    blocks = [" ".join(part).strip() for part in parts]
    if form:
        blocks = [pen.write(form["open"]), *blocks, pen.write(form["close"])]
    return _tidy(("\n" if rng.random() < data()["lines"][cefr] else " ").join(block for block in blocks if block))


def _tidy(text):
    text = re.sub(r" +(['’,.!?])", r"\1", re.sub(" +", " ", text)).strip()
    text = re.sub(r"\b([Aa]) (?=[aeio]|un[^i])", r"\1n ", text)
    return SENTENCE_START.sub(lambda match: match.group().upper(), text)


class Pen:
    """Fills templates from word lists, seldom with the same entry twice in a text.

    words: word list name -> "a|b|c".
    """

    def __init__(self, words, rng):
        self.words, self.rng, self.used = words, rng, set()

    def write(self, template):
        while True:
            template, choices = CHOICE.subn(lambda match: _pick(match.group(1), self.rng), template)
            if not choices:
                template, slots = SLOT.subn(self._slot, template)
                if not slots:
                    return template

    def _slot(self, match):
        name, form = match.groups()
        for _ in range(5):
            entry = _pick(self.words[name], self.rng).lstrip()
            if entry not in self.used:
                break
        if len(_options(self.words[name])) > 2:
            self.used.add(entry)
        return inflect(self.write(entry), form) if form else f"{entry}"


def _pick(options, rng):
    """One of a list or of "a|b|c"; the first of n options comes about n ** .2 times as often as by even chance."""
    options = _options(options) if isinstance(options, str) else options
    return options[int(len(options) * rng.random() ** 1.25)]


@functools.cache
def _options(text):
    """Split at the bars outside brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


@functools.cache
def _irregular():
    return {base.strip(): forms for base, *forms in (verb.split() for verb in data()["irregular"].split("|"))}


def inflect(phrase, form):
    """The phrase with its first verb in form s, ed, en or ing: inflect("eat fish", "ed") -> "ate fish"."""
    verb, _, rest = phrase.partition(" ")
    if form in ("ed", "en") and verb in _irregular():
        verb = _irregular()[verb][form == "en"]
    elif form == "s":
        verb = "has" if verb == "have" else re.sub("([^aeiou])y$", r"\1ie", verb) + "s"
        verb = re.sub("(o|ch|sh|ss|x)s$", r"\1es", verb)
    else:
        verb += verb[-1] if verb in data()["doubling"].split("|") else ""
        verb = re.sub("([^aeiou])y$", r"\1i", verb) if form != "ing" else verb
        verb = re.sub("([^e])e$", r"\1", verb) + ("ing" if form == "ing" else "ed")
    return f"{verb} {rest}".strip()
