"""One text put to all models of a run: what each writes into its blanks, and how surprised it is by given words.

A blank is marked in the text itself: [lunch] takes out a word (or several, or a sentence) and keeps it as the given
filling; `_` is a word that nobody knows, `__` several words, `___` a sentence.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.design import KIND, LEVELS
from lib.errors import MissingResult
from lib.evaluation import scoring
from lib.experiment import manifest
from lib.experiment.files import read_json
from lib.infilling import decoding
from lib.masking.examples import build_example, first_special_of
from lib.masking.segmentation import NGRAM, SENTENCE, WORD, segment
from lib.masking.token_index import encode
from lib.models import loading

_BLANK = r"\[(\s*)([^\[\]]*[^\[\]\s])(\s*)\]|(?<!\w)(_{1,3})(?!\w)"
_PIECE = re.compile(rf"{_BLANK}|\w+(?:['’-]\w+)*")
_UNKNOWN = {"_": WORD, "__": NGRAM, "___": SENTENCE}
_STANDS_IN = "x"  # a letter, since a tokenizer could glue "_" to a full stop behind it
SHORT = 5  # fillings shown of a single blank
_LONGEST = {WORD: 13, NGRAM: 25, SENTENCE: 40}  # tokens a blank may take, its end included; others as many as there are
NO_GRADER = (
    "This is no grader. It says whose training texts the text is most like, in topic and length as much as in "
    "language; models of one level differ from seed to seed, and a short text says next to nothing."
)


class ClozeQuery(NamedTuple):
    """A text without its marks, and its blanks."""

    text: str
    spans: np.ndarray  # int32 [blanks, 3]: type, character offset, length
    given: list  # str, or None where nobody knows the filling; one a blank


def parse_query(marked):
    """The Question that a marked text asks."""
    text, at, places, given = "", 0, [], []
    for mark in re.finditer(_BLANK, marked):
        before, filling, behind, unknown = mark.groups()
        text += marked[at : mark.start()] + (before or "")
        places.append((len(text), len(filling or _STANDS_IN), _UNKNOWN.get(unknown)))
        text += (filling or _STANDS_IN) + (behind or "")
        given.append(filling)
        at = mark.end()
    text += marked[at:]
    found = {(first, n): kind for kind, first, n in segment(text).tolist()}  # the innermost unit with these bounds
    spans = [(_kind(text[first : first + n], found.get((first, n)), kind), first, n) for first, n, kind in places]
    return ClozeQuery(text, np.array(spans, np.int32).reshape(-1, 3), given)


def _kind(filling, unit, asked):
    """The type of a blank: as asked for; else the unit that it takes out; else by whether it holds a space."""
    found = [kind for kind in (asked, unit) if kind is not None]
    return found[0] if found else NGRAM if re.search(r"\s", filling) else WORD


def pieces(marked):
    """Words and blanks of a marked text in order: a list of (what stands there, is it a blank)."""
    return [(piece[0], bool(piece[2] or piece[4])) for piece in _PIECE.finditer(marked)]


def toggle(marked, n):
    """The marked text with its n-th piece made a blank, or a given filling put back. Neighbours become one blank."""
    piece = list(_PIECE.finditer(marked))[n]
    new = f"[{piece[0]}]"
    if piece[2]:
        new = piece[1] + piece[2] + piece[3]
    elif piece[4]:
        new = piece[0]  # nobody knows what was there
    return re.sub(r"\]( +)\[", r"\1", marked[: piece.start()] + new + marked[piece.end() :])


class ModelPanel:
    """The levels', the general and the transfer models of a run, each read from the disk when first asked, and kept.

    own: {model: network} that are in memory already, controls too; they are asked first.
    """

    def __init__(self, run, tokenizer, own=()):
        self.run, self.tokenizer, self.networks = run, tokenizer, dict(own)
        self.facts, self.absent = {}, {}
        for name in dict.fromkeys([*self.networks, *KIND]):
            try:
                self.facts[name] = self._facts(name)
            except (MissingResult, ValueError) as error:
                self.absent[name] = str(error).splitlines()[0]

    def _facts(self, name):
        """train.json of a model's first seed. Raises MissingResult or ValueError when there is no such model to ask."""
        folder = min((self.run.folder / f"models/{name}").glob("seed*/"), default=self.run.model(name, 0))
        if not (folder / manifest.MANIFEST).exists():
            raise MissingResult(f"{folder} is not there yet, or its training goes on (03_train)")
        facts = read_json(folder / "train.json")
        if facts["status"] != "trained":
            raise ValueError(f"n/a: {facts['reason']}")
        if facts["parameters"].get("level_prefix"):
            raise ValueError("it is told the level of each text, which nobody knows here")
        return facts

    def network(self, name):
        if name not in self.networks:
            folder = self.run.model(name, self.facts[name]["seed"])
            self.networks[name] = loading.load_model(folder)  # which compares the weights with their fingerprint
        return self.networks[name]

    def ask(self, answer, question, largest=math.inf):
        """Rows of a table, one a model, each when its model has answered: answer(network, tokenizer, question).

        largest: megabytes of a model that is worth reading from the disk for this.
        """
        for name, facts in self.facts.items():
            if name in self.networks or facts["megabytes"] <= largest:
                row = {"model": name, "texts": _learned(facts)}
                yield row | answer(self.network(name), self.tokenizer, question)

    def in_order(self, rows):
        """The rows as a frame: levels, general, transfer, whoever answered first."""
        names = [*KIND, *self.facts]
        return pd.DataFrame(sorted(rows, key=lambda row: names.index(row["model"])))


def _learned(facts):
    if facts.get("examples_seen") == 0:
        return f"nothing since {facts['init_from']}"
    levels = "all levels" if len(facts["levels"]) == len(LEVELS) else ", ".join(facts["levels"])
    return levels if facts["init_from"] == "scratch" else f"{facts['init_from']}, then {levels}"


def fill_blanks(network, tokenizer, question):
    """What a model writes: a single short blank's five most probable fillings, else the likeliest tokens of each.

    With each filling its probability, end included. Where all fillings are given, what they cost the model, too.
    """
    built, kinds = _example(network, tokenizer, question), question.spans[:, 0].tolist()
    prompt = decoding.build_prompt(*built)
    if len(kinds) == 1 and kinds[0] in (WORD, NGRAM):
        (best,), (ln_p,) = decoding.top_words(network, tokenizer, [prompt], SHORT, SHORT)
        written = [_shown(*one) for one in _together(best, np.exp(ln_p))]
        row = {f"{place}.": filling for place, filling in zip(range(1, SHORT + 1), [*written, *[""] * SHORT])}
    else:
        longest = min(128, sum(_LONGEST.get(kind, 128) for kind in kinds))
        (best,), (ln_p,) = decoding.sample_infills(network, tokenizer, [prompt], [len(kinds)], longest=longest)
        row = {f"blank {place}": _shown(*one) for place, one in enumerate(zip(best, np.exp(ln_p)), 1)}
    return row | (_cost(network, built) if all(question.given) else {})


def _together(fillings, chances):
    """Fillings that differ by the spaces around them made one, chances added: (filling, chance), best first."""
    sums = {}
    for filling, p in zip(fillings, chances):
        sums[filling.strip()] = sums.get(filling.strip(), 0.0) + p
    return sorted(sums.items(), key=lambda one: -one[1])


def _shown(filling, p):
    return "(did not end)" if np.isnan(p) else f"{filling.strip() or '(space)'}\u00a0{_percent(p)}"


def _percent(p):
    return f"{p:.0%}" if p >= 0.1 else f"{p:.1%}" if p >= 0.001 else "<0.1%"


def _example(network, tokenizer, question):
    """(tokens, roles) of the question. Raises ValueError where it cannot be asked, saying how it can."""
    room = loading.max_positions(network.config)
    if not len(question.spans):
        raise ValueError("There is no blank. Click on a word, put one in [brackets], or write _ where one is missing.")
    built = build_example(*encode(tokenizer, question.text), question.spans, first_special_of(tokenizer))
    if built is None:
        raise ValueError("Two blanks share a token: put them into one, or take back one of them.")
    if len(built[0]) + SHORT > room:
        raise ValueError(f"The text comes to {len(built[0]):,} tokens, the models take {room:,}: leave out a part.")
    return built


def _cost(network, built):
    """What the given fillings cost a model. Per token as in 04_evaluate: answer tokens, without the end token."""
    one = scoring.score(network, pd.DataFrame(index=[0]), [built[0]], [built[1]]).iloc[0]
    sure = np.exp(-one["nll_full"])
    return {"given": _percent(sure)} | _surprise(one["nll_text"] / one["n_tokens"])


def _surprise(nats):
    bits, perplexity = nats / np.log(2), np.exp(nats)
    return {"nats": round(nats, 2), "bits": round(bits, 2), "perplexity": round(perplexity, 1)}


def whole_text(network, tokenizer, question):
    """How surprised a model is by each token of a text, given those before it, on average (context perplexity)."""
    ids = encode(tokenizer, question.text.strip())
    if len(ids[0]) < 2:
        raise ValueError("There is no text to judge: type or paste one.")
    if None in question.given:
        raise ValueError("A word is missing from the text (_): write it, or take the blank out.")
    room, no_blank = loading.max_positions(network.config), np.zeros((0, 3), np.int32)
    tokens, roles = build_example(*ids, no_blank, first_special_of(tokenizer), room)
    one = scoring.score(network, pd.DataFrame(index=[0]), [tokens], [roles]).iloc[0]
    return {"tokens": int(one["n_context"])} | _surprise(one["nll_context"] / one["n_context"])


def lowest_perplexity(table):
    """A sentence about a table of `whole_text`: who is least surprised, and who next."""
    first, *others = table.sort_values("perplexity").to_dict("records")
    behind = f", then {others[0]['model']} ({others[0]['perplexity']:,.1f})" if others else ""
    return f"Least surprised: {first['model']} (perplexity {first['perplexity']:,.1f}){behind}."
