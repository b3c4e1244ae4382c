"""Queries of one text to all models of a run: what each writes into its blanks, and the perplexity of given fillings.

A blank is marked in the text itself: [lunch] masks a word (or several, or a sentence) and keeps it as the given
filling; `_` is a word whose filling is unknown, `__` several words, `___` a sentence.
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
_UNKNOWN_TYPES = {"_": WORD, "__": NGRAM, "___": SENTENCE}
_PLACEHOLDER = "x"  # of an unknown filling; a letter, since a tokenizer could merge "_" with a full stop after it
N_FILLINGS = 5  # shown of a single blank
_MAX_TOKENS = {WORD: 13, NGRAM: 25, SENTENCE: 40}  # of a filling, end token included
_MAX_TOKENS_PER_TEXT = 128
_ROOM = 64  # tokens of what a model can read that blanks and fillings may need, as in the study
NOT_ENDED = "(did not end)"  # instead of a filling
NOT_A_GRADER = (
    "This is not a grader. It shows which models' training texts the text resembles most, in topic and length as much "
    "as in language. Models of one level differ from seed to seed, and a short text says next to nothing."
)


class ClozeQuery(NamedTuple):
    """A text without its marks, and its blanks."""

    text: str
    spans: np.ndarray  # int32 [blanks, 3]: type, character offset, length
    given: list  # the given filling of each blank, a str, or None if unknown


def parse_query(marked):
    """The ClozeQuery of a marked text."""
    text, given, blanks = "", [], []
    position = 0
    for mark in re.finditer(_BLANK, marked):
        space_before, filling, space_after, unknown = mark.groups()
        text += marked[position : mark.start()] + (space_before or "")
        masked = filling or _PLACEHOLDER
        blanks.append((len(text), len(masked), _UNKNOWN_TYPES.get(unknown)))
        text += masked + (space_after or "")
        given.append(filling)
        position = mark.end()
    text += marked[position:]
    units = {(start, n): kind for kind, start, n in segment(text).tolist()}  # the innermost unit with these ends
    spans = []
    for start, n, marked_type in blanks:
        spans.append((_span_type(text[start : start + n], units.get((start, n)), marked_type), start, n))
    return ClozeQuery(text, np.array(spans, np.int32).reshape(-1, 3), given)


def _span_type(filling, unit, marked_type):
    """The type of a blank: as marked; else of the unit that it masks; else a word, or an n-gram if it has a space."""
    if marked_type is not None:
        return marked_type
    if unit is not None:
        return unit
    if re.search(r"\s", filling):
        return NGRAM
    return WORD


def pieces(marked):
    """Words and blanks of a marked text in order: a list of (characters, is it a blank?)."""
    return [(piece[0], bool(piece[2] or piece[4])) for piece in _PIECE.finditer(marked)]


def toggle(marked, n):
    """The marked text with its n-th piece masked, or its given filling restored. Adjacent blanks are joined."""
    piece = list(_PIECE.finditer(marked))[n]
    new = f"[{piece[0]}]"
    if piece[2]:
        new = piece[1] + piece[2] + piece[3]
    elif piece[4]:
        new = piece[0]  # the filling is unknown
    return re.sub(r"\]( +)\[", r"\1", marked[: piece.start()] + new + marked[piece.end() :])


class ModelPanel:
    """The specialists, the general and the transfer models of a run, each loaded when first queried, and kept.

    loaded: {model: network} in memory already, controls too; they answer first. `facts` holds the train.json of models
    that can be queried, `absent` the reasons of the others."""

    def __init__(self, run, tokenizer, loaded=()):
        self.run = run
        self.tokenizer = tokenizer
        self.networks = dict(loaded)
        self.facts = {}
        self.absent = {}
        for model in dict.fromkeys([*self.networks, *KIND]):
            try:
                self.facts[model] = self._read_facts(model)
            except (MissingResult, ValueError) as error:
                self.absent[model] = str(error).splitlines()[0]

    def _read_facts(self, model):
        """train.json of a model's first seed. Raises MissingResult or ValueError if the model cannot be queried."""
        folder = min((self.run.folder / f"models/{model}").glob("seed*/"), default=self.run.model(model, 0))
        if not (folder / manifest.MANIFEST).exists():
            raise MissingResult(f"{folder} does not exist yet, or is still being trained (03_train)")
        facts = read_json(folder / "train.json")
        if facts["status"] != "trained":
            raise ValueError(f"n/a: {facts['reason']}")
        if facts["parameters"].get("level_prefix"):
            raise ValueError("it needs the level of each text, which is unknown here")
        return facts

    def network(self, model):
        if model not in self.networks:
            folder = self.run.model(model, self.facts[model]["seed"])
            self.networks[model] = loading.load_model(folder)  # which checks the fingerprint of the weights
        return self.networks[model]

    def ask(self, query_function, query, max_megabytes=math.inf):
        """Yield a table row per model as soon as it has answered: query_function(network, tokenizer, query).

        max_megabytes: larger models are left out unless they are loaded.
        """
        for model, facts in self.facts.items():
            if model in self.networks or facts["megabytes"] <= max_megabytes:
                row = {"model": model, "trained on": _training_texts(facts)}
                yield row | query_function(self.network(model), self.tokenizer, query)

    def in_order(self, rows):
        """The rows as a frame in the order specialists, general, transfer, controls."""
        models = [*KIND, *self.facts]
        return pd.DataFrame(sorted(rows, key=lambda row: models.index(row["model"])))


def _training_texts(facts):
    """The levels that a model was trained on, and its base."""
    if facts.get("examples_seen") == 0:
        return f"{facts['init_from']} only"
    levels = "all levels" if len(facts["levels"]) == len(LEVELS) else ", ".join(facts["levels"])
    return levels if facts["init_from"] == "scratch" else f"{facts['init_from']}, then {levels}"


def fill_blanks(network, tokenizer, query):
    """A model's fillings: the five most probable ones of a single short blank, or one greedy filling per blank.

    Each filling has its probability, end token included. If all fillings are given, the row also has their
    probability and perplexity.
    """
    example = _build_example(network, tokenizer, query)
    types = query.spans[:, 0].tolist()
    prompt = decoding.build_prompt(*example)
    row = {}
    if len(types) == 1 and types[0] in (WORD, NGRAM):
        (fillings,), (logprobs,) = decoding.top_words(network, tokenizer, [prompt], N_FILLINGS, N_FILLINGS)
        shown = [_format_filling(*filling) for filling in _merge_spaces(fillings, np.exp(logprobs))]
        for rank in range(N_FILLINGS):
            row[f"{rank + 1}."] = shown[rank] if rank < len(shown) else ""
    else:
        limit = min(_MAX_TOKENS_PER_TEXT, sum(_MAX_TOKENS.get(kind, _MAX_TOKENS_PER_TEXT) for kind in types))
        (fillings,), (logprobs,) = decoding.sample_infills(
            network, tokenizer, [prompt], [len(types)], max_new_tokens=limit
        )
        for number, filling in enumerate(zip(fillings, np.exp(logprobs)), 1):
            row[f"blank {number}"] = _format_filling(*filling)
    if all(query.given):
        row |= _given_fillings(network, example)
    return row


def _merge_spaces(fillings, probabilities):
    """Fillings that differ only in surrounding spaces merged: (filling, summed probability), best first."""
    sums = {}
    for filling, p in zip(fillings, probabilities):
        sums[filling.strip()] = sums.get(filling.strip(), 0.0) + p
    return sorted(sums.items(), key=lambda item: -item[1])


def _format_filling(filling, p):
    return NOT_ENDED if np.isnan(p) else f"{filling.strip() or '(space)'}\u00a0{_format_percent(p)}"


def _format_percent(p):
    if p >= 0.1:
        return f"{p:.0%}"
    return f"{p:.1%}" if p >= 0.001 else "<0.1%"


def _build_example(network, tokenizer, query):
    """(tokens, roles) of a query. Raises ValueError if there is none, with what to change."""
    if not len(query.spans):
        raise ValueError("There is no blank. Click on a word, put one in [brackets], or write _ for a missing word.")
    example = build_example(*_encode(network, tokenizer, query.text), query.spans, first_special_of(tokenizer))
    if example is None:
        raise ValueError("Two blanks share a token: join them, or restore one of them.")
    if len(example[0]) + N_FILLINGS > loading.max_positions(network.config):
        raise ValueError(f"{len(query.spans)} blanks are too many in a text of this length: restore some of them.")
    return example


def _encode(network, tokenizer, text):
    """The tokens of a text, as `token_index.encode`. Raises ValueError if they are too many, whatever the question."""
    encoded = encode(tokenizer, text)
    n_tokens, limit = len(encoded[0]), loading.max_positions(network.config) - _ROOM
    if n_tokens > limit:
        raise ValueError(f"The text has {n_tokens:,} tokens. The models read texts of up to {limit:,}: shorten it.")
    return encoded


def _given_fillings(network, example):
    """Probability and perplexity of the given fillings. Perplexity per answer token without end token, as in 04."""
    tokens, roles = example
    scores = scoring.score(network, pd.DataFrame(index=[0]), [tokens], [roles]).iloc[0]
    probability = np.exp(-scores["nll_full"])
    return {"p(given)": _format_percent(probability)} | _in_units(scores["nll_text"] / scores["n_tokens"])


def _in_units(nats):
    """Mean surprisal per token in nats and bits, and as perplexity."""
    return {"nats": round(nats, 2), "bits": round(nats / np.log(2), 2), "perplexity": round(np.exp(nats), 1)}


def text_perplexity(network, tokenizer, query):
    """Mean surprisal and perplexity of the tokens of a text without blanks, each given those before it."""
    encoded = _encode(network, tokenizer, query.text.strip())
    if len(encoded[0]) < 2:
        raise ValueError("There is no text to score: type or paste one.")
    if None in query.given:
        raise ValueError("A word is missing from the text (_): write it, or remove the blank.")
    tokens, roles = build_example(*encoded, np.zeros((0, 3), np.int32), first_special_of(tokenizer))
    scores = scoring.score(network, pd.DataFrame(index=[0]), [tokens], [roles]).iloc[0]
    return {"tokens": int(scores["n_context"])} | _in_units(scores["nll_context"] / scores["n_context"])


def lowest_perplexity(table):
    """A sentence about a table of `text_perplexity`: the models with the lowest and the second lowest perplexity."""
    first, *others = table.sort_values("perplexity").to_dict("records")
    second = f", then {others[0]['model']} ({others[0]['perplexity']:,.1f})" if others else ""
    return f"Lowest perplexity: {first['model']} ({first['perplexity']:,.1f}){second}."
