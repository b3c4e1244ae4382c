"""From a text and its mask to what the model sees, and how much each token counts.

Layout and loss follow Donahue, Lee & Liang (ACL 2020): context with one type token a span, then
<|startofinfill|>, then each answer followed by <|endofinfill|>.
"""

import numpy as np
from numba import njit

from lib.design import LEVELS
from lib.masking.masks import TYPES

SPECIALS = ["<|startofinfill|>", "<|endofinfill|>"] + [f"<|infill_{name}|>" for name in TYPES]
# the role of a token; PAD is none
PAD, CONTEXT, CONTEXT_SPECIAL, SEPARATOR, INFILL, INFILL_SPECIAL = range(6)
ROLES = ["pad", "context", "context special", "separator", "infill", "infill special"]
GROUP = 8  # examples over which the two means of the loss are taken


@njit(cache=True)
def _runs(starts, ends, spans, runs):
    """The smallest run of tokens over each span's characters, into runs [k, 2]; False when two spans share a token."""
    cursor = 0
    for k in range(len(spans)):
        runs[k, 0] = np.searchsorted(ends, spans[k, 1], side="right")
        runs[k, 1] = np.searchsorted(starts, spans[k, 1] + spans[k, 2], side="left")
        if runs[k, 0] < cursor or runs[k, 1] <= runs[k, 0]:
            return False
        cursor = runs[k, 1]
    return True


@njit(cache=True)
def _assemble(ids, starts, ends, spans, first_special, tokens, roles):
    """Fill tokens and roles with one example; returns its length, or -1 when two spans share a token."""
    start_id, end_id, type_id = first_special, first_special + 1, first_special + 2
    runs = np.empty((len(spans), 2), np.int64)
    if not _runs(starts, ends, spans, runs):
        return -1
    n = cursor = 0
    for k in range(len(spans)):
        for token in range(cursor, runs[k, 0]):
            tokens[n], roles[n] = ids[token], CONTEXT
            n += 1
        tokens[n], roles[n] = type_id + spans[k, 0], CONTEXT_SPECIAL
        n += 1
        cursor = runs[k, 1]
    for token in range(cursor, len(ids)):
        tokens[n], roles[n] = ids[token], CONTEXT
        n += 1
    tokens[n], roles[n] = start_id, SEPARATOR
    n += 1
    for k in range(len(spans)):
        for token in range(runs[k, 0], runs[k, 1]):
            tokens[n], roles[n] = ids[token], INFILL
            n += 1
        tokens[n], roles[n] = end_id, INFILL_SPECIAL
        n += 1
    return n


def build_example(ids, starts, ends, spans, first_special, max_length=None):
    """One training example.

    ids, starts, ends: int32 [n], a text's tokens and their character ranges; spans: int32 [k, 3], a mask;
    first_special: the id of <|startofinfill|>. Returns (tokens int32, roles uint8), cut at max_length if given,
    or None when two spans fall into one token, which upstream refuses too: such an example is to be counted.
    """
    longest = len(ids) + 2 * len(spans) + 1
    tokens, roles = np.empty(longest, np.int32), np.empty(longest, np.uint8)
    n = _assemble(ids, starts, ends, spans, first_special, tokens, roles)
    return None if n < 0 else (tokens[:n][:max_length], roles[:n][:max_length])


@njit(cache=True)
def example_lengths(texts, spans, span_ends, owner):
    """Tokens in the example of each mask, -1 where two spans share a token: int32 [masks].

    texts: indexing.Texts; spans, span_ends, owner: masks as `masks.draw` returns them.
    """
    found, runs = np.empty(len(owner), np.int32), np.empty((len(spans) + 1, 2), np.int64)
    for mask in range(len(owner)):
        first, last = texts.bounds[owner[mask]], texts.bounds[owner[mask] + 1]
        own = spans[span_ends[mask - 1] if mask else 0 : span_ends[mask]]
        fits = _runs(texts.starts[first:last], texts.ends[first:last], own, runs)
        found[mask] = last - first + 2 * len(own) + 1 if fits else -1
    return found


@njit(cache=True)
def _assemble_all(texts, spans, span_ends, owner, chosen, first_special, tokens, roles):
    n = 0
    for mask in chosen:
        first, last = texts.bounds[owner[mask]], texts.bounds[owner[mask] + 1]
        own = spans[span_ends[mask - 1] if mask else 0 : span_ends[mask]]
        ids, starts, ends = texts.ids[first:last], texts.starts[first:last], texts.ends[first:last]
        n += _assemble(ids, starts, ends, own, first_special, tokens[n:], roles[n:])


def assemble(texts, drawn, chosen, length, first_special):
    """`examples`, all in a row: (tokens int32, roles uint8)."""
    tokens, roles = np.empty(length.sum(), np.int32), np.empty(length.sum(), np.uint8)
    _assemble_all(texts, *drawn, chosen, first_special, tokens, roles)
    return tokens, roles


def build_examples(texts, drawn, chosen, length, first_special):
    """The examples of the chosen masks, all of which must fit.

    texts: indexing.Texts; drawn: (spans, span_ends, owner) as `masks.draw` returns them; chosen: numbers of masks;
    length: their `lengths`. Returns (tokens, roles): two lists of arrays, one array an example.
    """
    both, stops = assemble(texts, drawn, chosen, length, first_special), np.cumsum(length)
    return tuple(np.split(flat, stops)[:-1] for flat in both)  # what is behind the last stop is empty


def first_special_of(tokenizer):
    """The id of <|startofinfill|>, behind which the ids of the other special tokens come in their order."""
    return tokenizer.convert_tokens_to_ids(SPECIALS[0])


def level_tokens(tokenizer, levels):
    """The token that tells each text's level: the digit 1 for A1 to 5 for C1, one token in any byte-level vocabulary.

    levels: a Series of CEFR levels. Returns int [texts].
    """
    digits = {level: tokenizer.convert_tokens_to_ids(str(n)) for n, level in enumerate(LEVELS, 1)}
    return levels.map(digits).to_numpy()


def add_prefix(token, tokens, roles):
    """An example with one token more at its beginning, which is seen and of no role: it is never a target.

    Nor is the text's first token, which nothing foretold before, so that what is scored stays the same.
    """
    roles = np.r_[np.uint8(PAD), roles]
    roles[1] = PAD if roles[1] == CONTEXT else roles[1]
    return np.r_[np.int32(token), tokens], roles


def token_roles(*kinds):
    """bool [number of roles], True for the given ones: `roles_of(INFILL)[roles]` is quicker than a search."""
    return np.isin(np.arange(len(ROLES)), kinds)


def loss_weights(roles):
    """Weights under which a plain sum of cross-entropies over one optimiser step is ILM's loss.

    roles: list of uint8 [n], one an example. In each group of 8 examples the mean over answers (with their end
    tokens) and the mean over context weigh 1 each; the groups are averaged. Type tokens and separators weigh 0,
    as does an example's first token, which nothing predicts. Returns a list of float32 [n].
    """
    weights = [np.zeros(len(role), np.float32) for role in roles]
    n_groups = -(-len(roles) // GROUP)
    for first in range(0, len(roles), GROUP):
        group = range(first, min(first + GROUP, len(roles)))
        for wanted in [token_roles(INFILL, INFILL_SPECIAL), token_roles(CONTEXT)]:
            targets = {i: 1 + np.flatnonzero(wanted[roles[i][1:]]) for i in group}
            count = sum(map(len, targets.values()))
            for i in group:
                weights[i][targets[i]] = 1 / (max(count, 1) * n_groups)
    return weights
