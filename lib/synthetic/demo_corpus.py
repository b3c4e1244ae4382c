"""SYNTHETIC learner English in the columns of EFCAMDAT's cleaned subcorpus (Shatz 2020).

No sentence, person, grade or date is real: correct English is drawn from templates in demo_corpus.yaml, then
distorted by the errors that writers of a level and first language make.
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
PROMPTS, L1S = DATA["prompts"], DATA["l1s"]
EXAMPLE_LEARNER = DATA["example_learner"]  # the writer of the running example
NAMES = "|".join(l1["names"] for l1 in L1S.values())
SITES = 6  # decisions drawn for a rule and a text; where the rule matches more often, they repeat, as habits do


def embedded_corpus(n_texts=3300, seed=2020):
    """The default corpus: n_texts (100 or more) rows in COLUMNS, str and int, the same for the same arguments.

    Learners write about four texts and never move to a lower level; a prompt belongs to one level. Shares of levels,
    errors and noise are those of demo_corpus.yaml. text_corrected is the text without its spelling errors.
    """
    rng = np.random.default_rng(seed)
    histories = list(_learner_histories(n_texts, rng))
    learner_ids = _ids(len(histories), EXAMPLE_LEARNER["learner_id"], rng)
    rows = [row for learner_id, prompts in zip(learner_ids, histories) for row in _learner(learner_id, prompts, rng)]
    rows[0] |= {column: EXAMPLE_LEARNER[column] for column in ("text", "text_corrected")}
    _add_noise(rows, rng)
    table = pd.DataFrame(rows).assign(writing_id=_ids(n_texts, EXAMPLE_LEARNER["writing_id"], rng))
    table["topic_id"] = 8 * (table["level"] - 1) + table["unit"]
    table["cefr_numeric"] = (table["level"] + 2) // 3
    table["wordcount"] = table["text"].str.split().str.len()
    return table.sort_values("writing_id", ignore_index=True)[COLUMNS]


def _ids(n, first, rng):
    """n different ids below 100,000. The first is given: the first text of the first learner is the running example."""
    return [first, *rng.choice(np.delete(np.arange(1, 100_000), first - 1), n - 1, replace=False).tolist()]


def _learner_histories(n_texts, rng):
    """Yield, for each learner, the prompts that she or he answers, until every level has its share of n_texts."""
    left = {level: round(n_texts * numbers["share"]) for level, numbers in DATA["levels"].items()}
    left["A1"] += n_texts - sum(left.values())
    position = [prompt["topic"] for prompt in PROMPTS].index(EXAMPLE_LEARNER["topic"])
    while any(left.values()):
        answered = []
        length = 1 + rng.negative_binomial(1.6, 0.33)
        while len(answered) < length and position < len(PROMPTS) and left[PROMPTS[position]["at"][0]]:
            answered.append(PROMPTS[position])
            left[PROMPTS[position]["at"][0]] -= 1
            position += 1 + int(rng.random() < 0.25)
        yield answered
        waiting = np.array([left[prompt["at"][0]] for prompt in PROMPTS])
        position = rng.choice(len(PROMPTS), p=waiting / waiting.sum()) if waiting.any() else 0


def _learner(learner_id, prompts, rng):
    """The rows of one learner who answers these prompts, in the order of their dates."""
    facts = _facts(EXAMPLE_LEARNER["facts"] if learner_id == EXAMPLE_LEARNER["learner_id"] else {}, rng)
    error_rate = rng.lognormal(-0.08, 0.4)  # relative to other learners of the level and first language
    minutes = rng.integers(700 * 24 * 60) + np.cumsum(rng.integers(2 * 24 * 60, 45 * 24 * 60, len(prompts)))
    for prompt, minute in zip(prompts, minutes):
        row = {"learner_id": learner_id, "topic": prompt["topic"], "l1": facts["l1"]}
        row |= {"nationality": facts["nationality"], **dict(zip(["cefr", "level", "unit"], prompt["at"]))}
        row["date"] = str(pd.Timestamp(2011, 1, 3) + pd.Timedelta(minutes=int(minute)))
        row["grade"] = int(np.clip(rng.normal(92 - 4 * error_rate, 5), 55, 100))
        text = compose(prompt, facts, rng)
        for kind in ("variants", "errors", "surface", "spelling"):
            row["text_corrected"] = _tidy(text) if kind in ("errors", "surface") else text
            text = _reworded(row["text_corrected"], kind, row["l1"], row["cefr"], error_rate, rng)
        yield row | {"text": text}


def _facts(fixed, rng):
    """A learner's first language and what all of her or his texts share: name, city, job, family, hobby ..."""
    shares = np.array([l1["share"] for l1 in L1S.values()])
    facts = {"l1": list(L1S)[rng.choice(len(shares), p=shares / shares.sum())]} | fixed
    background = L1S[facts["l1"]]
    for keys, values in (DATA["facts"] | background["facts"]).items():
        facts = dict(zip(keys.split(), _pick(values, rng).strip().split("/"))) | facts
    names = background["names"].split("|")  # women's and men's in turn
    women, men = (rng.permutation(names[first::2]).tolist() for first in (0, 1))
    facts = {"name": (women, men)[rng.integers(2)][0], "kinname": (women if facts["he"] == "she" else men)[1]} | facts
    return facts | {"dish": background["dish"], "friend": (women if facts["fhe"] == "she" else men)[2]}


def compose(prompt, facts, rng):
    """A text in correct English: a start, as much of the body as fits the length of the level, often an end."""
    cefr = prompt["at"][0]
    form = DATA["forms"][prompt.get("form", "plain")]
    words = DATA["common"] | prompt | facts
    write = functools.partial(_write, words=words, used=set(), rng=rng)
    words |= {key: write(_pick(values, rng)) for key, values in prompt.get("once", {}).items()}
    templates = _body_templates(prompt, cefr)
    start = write(_pick(prompt["start"], rng))
    end = write(_pick(prompt["end"], rng))
    end = "" if cefr < "B1" and rng.random() < 0.3 else end
    missing = DATA["levels"][cefr]["words"] * rng.lognormal(0, 0.25) - len(f"{start} {end}".split())  # words
    body = {}
    for i in rng.permutation(len(templates)):
        if missing > 0 or not body:
            body[i] = write(templates[i])
            missing -= len(body[i].split())
    body = [body[i] for i in sorted(body)]  # chosen at random, written in the order of the templates
    cut = len(body) // 2 if rng.random() < 0.5 else 0
    lines = [[start, *body, end]] if cefr < "B1" else [[start], body[:cut], body[cut:], [end]]
    lines = [[write(form["open"])], *lines, [write(form["close"])]]
    separator = "\n" if rng.random() < DATA["lines"][cefr] else " "
    return _tidy(separator.join(" ".join(line) for line in lines if any(line)))


def _body_templates(prompt, cefr):
    """The prompt's own sentences and, where it asks for an argument, those of the level, merged evenly."""
    own = prompt["body"]
    of_level = DATA["frames"].get(cefr, []) if "pro" in prompt else []
    positions = [(i / len(part), template) for part in (own, of_level) for i, template in enumerate(part)]
    return [template for _, template in sorted(positions)]


def _write(template, words, used, rng):
    """Fill (a|b) and <word list:form>, rarely with the same entry twice in a text."""

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
    """An entry of a list or of "a|b|c"; earlier entries are a little likelier."""
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
    """(pattern, replacement) of each rule, and its rate for a first language, its family, the level, or all."""
    rules, rates = [], []
    for find, *replacement, rate in DATA[kind]:
        ignore_case = re.I if kind in ("variants", "errors") else 0
        if replacement:
            rules.append((re.compile(find, ignore_case), *replacement))
        else:
            rules.append((re.compile(r"[\w']+"), find))  # find: {word: misspelling}
        rates.append(next((rate[key] for key in (l1, L1S[l1]["family"], cefr, "all") if key in rate), 0))
    return rules, np.array(rates)


def _reworded(text, kind, l1, cefr, error_rate, rng):
    """The text with the variants, errors, surface errors or spelling errors of a kind, at the writer's rate."""
    rules, rates = _rules(kind, l1, cefr)
    hits = rng.random((len(rules), SITES)) < error_rate * DATA["levels"][cefr][kind] * rates[:, None]

    def change(match):
        misspelt = isinstance(replacement, dict)
        if misspelt and match[0].lower() not in replacement or not next(hit):
            return match[0]
        if misspelt:
            return replacement[match[0]] if match[0] in replacement else replacement[match[0].lower()].capitalize()
        return match[0].lower() if replacement == "lower" else match.expand(replacement)

    for i in np.flatnonzero(hits.any(axis=1)):
        pattern, replacement = rules[i]
        hit = itertools.cycle(hits[i].tolist())
        text = pattern.sub(change, text)
    return text


NOISE = {  # kind of noise: what it makes of a text (and of its corrected form), given its prompt
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
    """Add each kind of NOISE to a small share of the rows, never to those of the example learner."""
    rows = [rows[i] for i in rng.permutation(len(rows)) if rows[i]["learner_id"] != EXAMPLE_LEARNER["learner_id"]]
    prompts = {prompt["topic"]: prompt for prompt in PROMPTS}
    unchanged = iter(rows)
    for kind, share in DATA["noise"].items():
        missing = max(1, round(share * len(rows)))
        while missing:
            row = next(unchanged)
            sources = [row]
            if "duplicate" in kind:
                sources = [r for r in rows if r["topic"] == row["topic"] and r["learner_id"] != row["learner_id"]]
            source = sources[rng.integers(len(sources))]
            noise = functools.partial(NOISE[kind], prompt=prompts[row["topic"]])
            noisy = {column: noise(source[column]) for column in ("text", "text_corrected")}
            if noisy["text"].count("xxx") < noisy["text_corrected"].count("xxx"):
                continue  # a misspelt name stays readable; take another text
            missing -= noisy["text"] != row["text"]
            row |= noisy
    for text in DATA["oddities"]:
        next(unchanged).update(text=text, text_corrected=text)


def write(file):
    """Write the embedded corpus as a CSV file."""
    write_table(embedded_corpus(), file)
    print(f"{file}: {SYNTHETIC}")
