"""From a text and its mask to the example that a model reads, and the loss weight of each token.

Layout and loss follow Donahue, Lee & Liang (ACL 2020). First comes the context, with one type token for each span.
<|startofinfill|> follows, and then each answer with <|endofinfill|>.
"""

import numpy as np
from numba import njit

from lib.design import LEVELS
from lib.errors import ParameterError
from lib.masking.masks import TYPES

SPECIALS = ["<|startofinfill|>", "<|endofinfill|>"] + [f"<|infill_{name}|>" for name in TYPES]
# roles of tokens; PAD: neither context nor answer
PAD, CONTEXT, CONTEXT_SPECIAL, SEPARATOR, INFILL, INFILL_SPECIAL = range(6)
ROLES = ["pad", "context", "context special", "separator", "infill", "infill special"]
GROUP = 8  # examples over which each of the two means of the loss is taken


@njit(cache=True)
def _find_ranges(starts, ends, spans, ranges):
    """Write the smallest range of tokens that covers each span into ranges [k, 2]; False if two spans share a token."""
    cursor = 0
    for k in range(len(spans)):
        ranges[k, 0] = np.searchsorted(ends, spans[k, 1], side="right")
        ranges[k, 1] = np.searchsorted(starts, spans[k, 1] + spans[k, 2], side="left")
        if ranges[k, 0] < cursor or ranges[k, 1] <= ranges[k, 0]:
            return False
        cursor = ranges[k, 1]
    return True


@njit(cache=True)
def _assemble(ids, starts, ends, spans, first_special, tokens, roles):
    """Write one example into tokens and roles; returns its length, or -1 if two spans share a token."""
    start_id = first_special
    end_id = first_special + 1
    type_id = first_special + 2
    ranges = np.empty((len(spans), 2), np.int64)
    if not _find_ranges(starts, ends, spans, ranges):
        return -1
    n = cursor = 0
    for k in range(len(spans)):
        for token in range(cursor, ranges[k, 0]):
            tokens[n], roles[n] = ids[token], CONTEXT
            n += 1
        tokens[n], roles[n] = type_id + spans[k, 0], CONTEXT_SPECIAL
        n += 1
        cursor = ranges[k, 1]
    for token in range(cursor, len(ids)):
        tokens[n], roles[n] = ids[token], CONTEXT
        n += 1
    tokens[n], roles[n] = start_id, SEPARATOR
    n += 1
    for k in range(len(spans)):
        for token in range(ranges[k, 0], ranges[k, 1]):
            tokens[n], roles[n] = ids[token], INFILL
            n += 1
        tokens[n], roles[n] = end_id, INFILL_SPECIAL
        n += 1
    return n


def build_example(ids, starts, ends, spans, first_special, max_length=None):
    """One training example.

    ids, starts, ends: int32 [n], a text's tokens and their character ranges; spans: int32 [k, 3], a mask;
    first_special: the id of <|startofinfill|>. Returns (tokens int32, roles uint8), truncated at max_length if given.
    Returns None if two spans share a token, which the original program refuses too; callers count such examples.
    """
    capacity = len(ids) + 2 * len(spans) + 1
    tokens = np.empty(capacity, np.int32)
    roles = np.empty(capacity, np.uint8)
    n = _assemble(ids, starts, ends, spans, first_special, tokens, roles)
    if n < 0:
        return None
    return tokens[:n][:max_length], roles[:n][:max_length]


@njit(cache=True)
def example_lengths(texts, spans, span_ends, owner):
    """Number of tokens in the example of each mask, -1 if two of its spans share a token: int32 [masks].

    texts: TokenizedTexts; spans, span_ends, owner: masks as `masks.draw` returns them.
    """
    lengths = np.empty(len(owner), np.int32)
    ranges = np.empty((len(spans) + 1, 2), np.int64)
    for mask in range(len(owner)):
        first = texts.token_bounds[owner[mask]]
        stop = texts.token_bounds[owner[mask] + 1]
        mask_spans = spans[span_ends[mask - 1] if mask else 0 : span_ends[mask]]
        fits = _find_ranges(texts.starts[first:stop], texts.ends[first:stop], mask_spans, ranges)
        lengths[mask] = stop - first + 2 * len(mask_spans) + 1 if fits else -1
    return lengths


@njit(cache=True)
def _assemble_all(texts, spans, span_ends, owner, chosen, first_special, tokens, roles):
    n = 0
    for mask in chosen:
        first = texts.token_bounds[owner[mask]]
        stop = texts.token_bounds[owner[mask] + 1]
        mask_spans = spans[span_ends[mask - 1] if mask else 0 : span_ends[mask]]
        ids = texts.ids[first:stop]
        starts = texts.starts[first:stop]
        ends = texts.ends[first:stop]
        n += _assemble(ids, starts, ends, mask_spans, first_special, tokens[n:], roles[n:])


def assemble(texts, drawn, chosen, lengths, first_special):
    """The examples of `build_examples`, concatenated: (tokens int32, roles uint8)."""
    tokens = np.empty(lengths.sum(), np.int32)
    roles = np.empty(lengths.sum(), np.uint8)
    _assemble_all(texts, *drawn, chosen, first_special, tokens, roles)
    return tokens, roles


def build_examples(texts, drawn, chosen, lengths, first_special):
    """The examples of the chosen masks. No mask may have two spans in one token.

    texts: TokenizedTexts; drawn: (spans, span_ends, owner) as `masks.draw` returns them; chosen: int [examples],
    numbers of masks; lengths: their `example_lengths`. Returns (tokens, roles): two lists with one array an example.
    """
    tokens, roles = assemble(texts, drawn, chosen, lengths, first_special)
    stops = np.cumsum(lengths)
    return np.split(tokens, stops)[:-1], np.split(roles, stops)[:-1]  # the piece after the last stop is empty


def first_special_of(tokenizer):
    """The id of <|startofinfill|>. The ids of the other special tokens follow in the order of SPECIALS."""
    return tokenizer.convert_tokens_to_ids(SPECIALS[0])


def level_tokens(tokenizer, levels):
    """The level token of each text: the digit 1 for A1 to 5 for C1, a single token in any byte-level vocabulary.

    levels: a Series of CEFR levels. Returns int [texts], token ids. Raises ParameterError for a tokenizer without such
    tokens, or with a start token, before which the level would stand.
    """
    digits = {level: tokenizer.convert_tokens_to_ids(str(n)) for n, level in enumerate(LEVELS, 1)}
    if {None, tokenizer.unk_token_id} & set(digits.values()) or tokenizer("").input_ids:
        raise ParameterError(
            "level_prefix: true needs a tokenizer with tokens for the digits 1 to 5 and without a start token, such as "
            "GPT-2's. Choose another base, or remove this model's parameter file."
        )
    return levels.map(digits).to_numpy()


def add_prefix(token, tokens, roles):
    """An example with a level token in front. The model reads this token and never predicts it: its role is PAD.

    The text's first token has nothing before it without the level token. Its role becomes PAD as well, so that the same
    tokens are scored with and without level tokens. Returns (tokens, roles).
    """
    roles = np.r_[np.uint8(PAD), roles]
    if roles[1] == CONTEXT:
        roles[1] = PAD
    return np.r_[np.int32(token), tokens], roles


def token_roles(*kinds):
    """bool [number of roles], True for the given roles: `token_roles(INFILL)[roles]` is faster than a search."""
    return np.isin(np.arange(len(ROLES)), kinds)


def loss_weights(roles):
    """Weights with which the sum of cross-entropies over one optimiser step is ILM's loss.

    roles: list of uint8 [n], one array an example. In each group of 8 examples, the mean over answers (with their end
    tokens) and the mean over context have weight 1 each; groups are averaged. Type tokens, separators and the first
    token of an example have weight 0. Returns a list of float32 [n].
    """
    weights = [np.zeros(len(role), np.float32) for role in roles]
    n_groups = -(-len(roles) // GROUP)
    for first in range(0, len(roles), GROUP):
        group = range(first, min(first + GROUP, len(roles)))
        for is_target in [token_roles(INFILL, INFILL_SPECIAL), token_roles(CONTEXT)]:
            targets = {i: 1 + np.flatnonzero(is_target[roles[i][1:]]) for i in group}
            n_targets = sum(map(len, targets.values()))
            for i in group:
                weights[i][targets[i]] = 1 / (max(n_targets, 1) * n_groups)
    return weights
