"""What a model writes into blanks: the most probable fillings of one word, and sampled fillings of any mask.

Both read each prompt once and keep what they have read (transformers' KV cache), which `generate` of transformers does
not for several fillings of one prompt; there, too, finished texts go on to the end of the longest one, a beam tries its
beginnings as whole fillings only where the end token is among the next best, and a neighbour changes what is drawn.
"""

from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from lib.infilling.kv_cache import Reader, Rows, batches, given
from lib.masking.examples import CONTEXT_SPECIAL, SEPARATOR
from lib.models import loading, packing

BATCH = 8192  # tokens of the prompts held at once, padding included
FEW = 16  # rows: so many are better padded than asked in turn
TOGETHER = 4  # groups of prompts, each of like length, that are written behind at once
WIDE = 256  # tokens sorted for the nucleus; all, where these do not hold its mass
BLOCK = 8  # tokens of which only the greatest is looked at first
LONGEST_WORD = 12  # tokens a single word may take before the search gives up


def build_prompt(tokens, roles):
    """The part of an example that a model may see: everything up to and with <|startofinfill|>."""
    return tokens[: int(np.argmax(roles == SEPARATOR)) + 1]


def top_words(model, tokenizer, prompts, num_beams, k=5):
    """The k most probable fillings of each prompt's one blank that a beam search finds.

    Returns (fillings, logprobs): per prompt k strings and their summed log probabilities, end token included,
    in nats, best first. Prompts stay in order. An empty filling is none: a blank has at least one token.
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    found = [[]] * len(prompts)
    with torch.inference_mode():
        for places, ids, seen in batches(model, prompts, BATCH):
            for place, best in zip(places, _search(model, ids, seen, end, num_beams, k)):
                found[place] = best
    fillings = [[tokenizer.decode(written) for _, written in best] for best in found]
    return fillings, [[ln_p for ln_p, _ in best] for best in found]


def _search(model, ids, seen, end, num_beams, k):
    """Per prompt its k best fillings, (log probability, token ids), best first.

    Shapes: ids, seen [n, width]; running [n, b], the log probabilities of b beginnings; written [n, b, length].
    """
    n, tokens, cache = len(ids), ids, None
    running, written = torch.zeros(n, 1, device=ids.device), ids.new_empty(n, 1, 0)
    found = [[] for _ in range(n)]
    for length in range(min(LONGEST_WORD, loading.max_positions(model.config) - ids.shape[1]) + 1):
        scores, cache = _next(model, tokens, seen, cache)
        ln_p = running[..., None] + scores.view(n, running.shape[1], -1)
        if length:
            ended = zip(found, ln_p[:, :, end].tolist(), written.tolist())
            found = [sorted(best + list(zip(*new)), reverse=True)[:k] for best, *new in ended]
        ln_p[:, :, end] = -torch.inf
        n_beams, n_tokens = ln_p.shape[1:]
        running, chosen = ln_p.flatten(1).topk(min(num_beams, n_beams * n_tokens))
        if all(len(best) == k and best[-1][0] >= top for best, top in zip(found, running[:, 0].tolist())):
            break  # a longer filling can only be less probable
        parents = (chosen // n_tokens + n_beams * torch.arange(n, device=ids.device)[:, None]).flatten()
        tokens = (chosen % n_tokens).view(-1, 1)
        cache.reorder_cache(parents)
        written = torch.cat([written.flatten(0, 1)[parents], tokens], 1).view(n, running.shape[1], -1)
        seen = torch.cat([seen[parents], torch.ones_like(tokens)], 1)
    return found


def sample_infills(model, tokenizer, prompts, blanks, top_p=None, seed=0, times=1, longest=128):
    """Fill all blanks of each prompt: with the most probable token each time, or with tokens drawn from the nucleus.

    blanks: int [n], the blanks of each prompt; top_p: the probability mass to draw from, the token that crosses it
    included; times: fillings of each prompt. Returns (fillings, logprobs) of n * times, those of a prompt side by
    side: strings, one a blank, and their summed log probabilities with the end token, in nats. A blank that `longest`
    new tokens did not reach holds "" and nan. What is drawn depends on seed, place and time, and on no neighbour.
    """
    if not len(prompts):
        return [], []
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    blanks = np.repeat(blanks, times)
    draws = _draws(len(blanks), longest, seed).to(model.device) if top_p else None
    left = torch.tensor(blanks, device=model.device)
    written = left.new_full((len(left), longest), -1)
    sheet = _Sheet(written, torch.zeros(written.shape, device=model.device), left, draws)
    with torch.inference_mode():
        if packing.reads_examples_alone(model):
            _write_alone(model, prompts, times, sheet, end, top_p)
            prompts = []
        groups, output_layer = batches(model, prompts, BATCH // TOGETHER), _output_layer(model)
        while readers := [Reader(*group, times) for group in islice(groups, TOGETHER)]:
            _write(model, output_layer, readers, sheet, end, top_p)
    fillings, logprobs = [], []
    for n, tokens, own in zip(blanks, sheet.written.tolist(), sheet.ln_p.tolist()):
        fillings.append(_cut(tokens, end, n, tokenizer))
        sums = [sum(own[first : stop + 1]) for first, stop in _closed(tokens, end, n)]
        logprobs.append(sums + [float("nan")] * (n - len(sums)))
    return fillings, logprobs


class _Sheet(NamedTuple):
    """What all rows have written, and what is to come."""

    written: torch.Tensor  # tokens [rows, longest], -1 where there are none yet
    ln_p: torch.Tensor  # of these
    left: torch.Tensor  # blanks that are still open [rows]
    draws: torch.Tensor | None  # uniform numbers [rows, longest], where tokens are drawn


def _output_layer(model):
    """The function that makes logits [rows, vocabulary] of states [rows, width]."""
    head = model.get_output_embeddings()
    across = head.weight.T.contiguous()  # [width, vocabulary]: a CPU multiplies few rows by it in half the time

    def logits(states):
        scores = (states @ across).float()
        return scores if head.bias is None else scores + head.bias

    return logits


def _write(model, output_layer, readers, sheet, end, top_p):
    """Token by token into the sheet, the output layer for the rows of all readers at once."""
    for at in range(sheet.written.shape[1]):
        rows = torch.cat([one.rows for one in readers])
        p = output_layer(torch.cat([one.states(model) for one in readers])).softmax(1)
        chosen = p.argmax(1) if sheet.draws is None else _drawn(p, sheet.draws[rows, at], top_p)
        sheet.written[rows, at], sheet.ln_p[rows, at] = chosen, p.gather(1, chosen[:, None])[:, 0].log()
        sheet.left[rows] -= (chosen == end).long()
        for one, tokens in zip(readers, chosen.split([len(one.rows) for one in readers])):
            full = one.seen.shape[1] >= loading.max_positions(model.config)
            one.write(tokens, (sheet.left[one.rows] > 0) & (not full))
        readers = [one for one in readers if len(one.rows)]
        while len(readers) > 1 and len(readers[-2].rows) + len(readers[-1].rows) <= FEW:
            readers[-2].join(readers.pop())
        if not readers:
            break


def _write_alone(model, prompts, times, sheet, end, top_p):
    """Token by token into the sheet, row by row, for a model that reads examples alone."""
    for row in range(len(sheet.left)):
        tokens = torch.as_tensor(prompts[row // times].astype(np.int64), device=model.device)
        for at in range(sheet.written.shape[1]):
            p = model(tokens[None], use_cache=False).logits[:, -1].float().softmax(1)
            chosen = p.argmax(1) if sheet.draws is None else _drawn(p, sheet.draws[row : row + 1, at], top_p)
            sheet.written[row, at], sheet.ln_p[row, at] = chosen[0], p[0, chosen[0]].log()
            sheet.left[row] -= (chosen[0] == end).long()
            tokens = torch.cat([tokens, chosen])
            if sheet.left[row] == 0 or len(tokens) > loading.max_positions(model.config):
                break


def _next(model, tokens, seen, cache):
    """Log probabilities of the token after each row, [rows, vocabulary], and the cache that has read the rows."""
    if packing.reads_examples_alone(model):
        rows = cache or Rows()
        return rows.read(model, tokens, seen), rows
    output = model(**given(tokens, seen, cache), logits_to_keep=1)
    return output.logits[:, -1].float().log_softmax(-1), output.past_key_values


def _draws(rows, longest, seed):
    """Uniform numbers [rows, longest], each row's from a generator of its own."""
    own = [np.random.Generator(np.random.Philox(key=[seed, row])).random(longest, np.float32) for row in range(rows)]
    return torch.tensor(np.array(own))


def _drawn(p, uniform, top_p):
    """One token a row, drawn from the fewest tokens whose probabilities reach the nucleus (Holtzman et al. 2020).

    p: probabilities [rows, vocabulary]."""
    top, tokens = _greatest(p, WIDE)
    drawn = _inverse(top, tokens, uniform, top_p)
    (more,) = torch.nonzero(top.sum(1) < top_p, as_tuple=True)
    if len(more):
        drawn[more] = _inverse(*p[more].sort(descending=True), uniform[more], top_p)
    return drawn


def _greatest(p, k):
    """As p.topk(k), in a third of the time where p is wide: only the k blocks with the greatest maxima are sorted."""
    n = p.shape[1] // BLOCK  # blocks: tokens 0, n, 2n, ...; 1, n + 1, ...; and so on; a rest of less than BLOCK tokens
    if n < k:
        return p.topk(min(k, p.shape[1]))
    blocks = p[:, : n * BLOCK].unflatten(1, (BLOCK, n)).amax(1).topk(k, sorted=False).indices
    members = blocks[:, None] + n * torch.arange(BLOCK, device=p.device)[:, None]
    rest = torch.arange(n * BLOCK, p.shape[1], device=p.device).expand(len(p), -1)
    tokens = torch.cat([members.flatten(1), rest], 1)
    top, places = p.gather(1, tokens).topk(k)
    return top, tokens.gather(1, places)


def _inverse(p, tokens, uniform, top_p):
    """Where the distribution function of the nucleus reaches a uniform number; tokens stand by falling probability."""
    reached = p.cumsum(1)
    last = (reached < top_p).sum(1, keepdim=True).clamp(max=reached.shape[1] - 1)  # the token that crosses the mass
    place = (reached <= uniform[:, None] * reached.gather(1, last)).sum(1, keepdim=True)
    return tokens.gather(1, torch.minimum(place, last))[:, 0]


def split_answers(tokenizer, tokens, roles):
    """What the learner wrote in each blank of an example: a list of str, as long as it has blanks."""
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    return _cut(tokens[len(build_prompt(tokens, roles)) :].tolist(), end, count_blanks(roles), tokenizer)


def _closed(written, end, n):
    """Where the first n stretches begin and stop that <|endofinfill|> closes; it stands at their stop."""
    stops = [at for at, token in enumerate(written) if token == end][:n]
    return list(zip([0, *(stop + 1 for stop in stops)], stops))


def _cut(written, end, n, tokenizer):
    """Those stretches decoded; "" for those that never came."""
    filled = [tokenizer.decode(written[first:stop]) for first, stop in _closed(written, end, n)]
    return filled + [""] * (n - len(filled))


def count_blanks(roles):
    return int((roles == CONTEXT_SPECIAL).sum())
