"""What a model writes into blanks: the most probable fillings of one word, and sampled fillings of any mask.

Both read each prompt once and keep what they have read (transformers' KV cache), which `generate` of transformers does
not for several fillings of one prompt; there, too, finished texts go on to the end of the longest one, a beam tries its
beginnings as whole fillings only where the end token is among the next best, and a neighbour changes what is drawn.
"""

from collections import Counter

import numpy as np
import torch

from lib.examples import CONTEXT_SPECIAL, SEPARATOR

BATCH = 8192  # tokens of the prompts read at once, padding included
WIDE = 256  # tokens sorted for the nucleus; all, where these do not hold its mass
LONGEST_WORD = 12  # tokens a single word may take before the search gives up


def prompt(tokens, roles):
    """The part of an example that a model may see: everything up to and with <|startofinfill|>."""
    return tokens[: int(np.argmax(roles == SEPARATOR)) + 1]


def top_words(model, tokenizer, prompts, beams, k=5):
    """The k most probable fillings of each prompt's one blank that a beam search finds.

    Returns (fillings, logprobs): per prompt k strings and their summed log probabilities, end token included,
    in nats, best first. Prompts stay in order. An empty filling is none: a blank has at least one token.
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    found = [[]] * len(prompts)
    with torch.inference_mode():
        for places, ids, seen in _batches(model, prompts):
            for place, best in zip(places, _search(model, ids, seen, end, beams, k)):
                found[place] = best
    fillings = [[tokenizer.decode(written) for _, written in best] for best in found]
    return fillings, [[ln_p for ln_p, _ in best] for best in found]


def _search(model, ids, seen, end, beams, k):
    """Per prompt its k best fillings, (log probability, token ids), best first.

    Shapes: ids, seen [n, width]; running [n, b], the log probabilities of b beginnings; written [n, b, length].
    """
    n, tokens, cache = len(ids), ids, None
    running, written = torch.zeros(n, 1, device=ids.device), ids.new_empty(n, 1, 0)
    found = [[] for _ in range(n)]
    for length in range(min(LONGEST_WORD, model.config.max_position_embeddings - ids.shape[1]) + 1):
        scores, cache = _next(model, tokens, seen, cache)
        ln_p = running[..., None] + scores.view(n, running.shape[1], -1)
        if length:
            ended = zip(found, ln_p[:, :, end].tolist(), written.tolist())
            found = [sorted(best + list(zip(*new)), reverse=True)[:k] for best, *new in ended]
        ln_p[:, :, end] = -torch.inf
        n_beams, n_tokens = ln_p.shape[1:]
        running, chosen = ln_p.flatten(1).topk(min(beams, n_beams * n_tokens))
        if all(len(best) == k and best[-1][0] >= top for best, top in zip(found, running[:, 0].tolist())):
            break  # a longer filling can only be less probable
        parents = (chosen // n_tokens + n_beams * torch.arange(n, device=ids.device)[:, None]).flatten()
        tokens = (chosen % n_tokens).view(-1, 1)
        cache.reorder_cache(parents)
        written = torch.cat([written.flatten(0, 1)[parents], tokens], 1).view(n, running.shape[1], -1)
        seen = torch.cat([seen[parents], torch.ones_like(tokens)], 1)
    return found


def fill(model, tokenizer, prompts, blanks, nucleus=None, seed=0, times=1, longest=128):
    """Fill all blanks of each prompt: with the most probable token each time, or with tokens drawn from the nucleus.

    blanks: int [n], the blanks of each prompt; nucleus: the probability mass to draw from, the token that crosses it
    included; times: fillings of each prompt. Returns (fillings, logprobs) of n * times, those of a prompt side by
    side: strings, one a blank, and their summed log probabilities with the end token, in nats. A blank that `longest`
    new tokens did not reach holds "" and nan. What is drawn depends on seed, place and time, and on no neighbour.
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    blanks = np.repeat(blanks, times)
    fillings, logprobs = ([[]] * len(blanks) for _ in range(2))
    with torch.inference_mode():
        for places, ids, seen in _batches(model, prompts):
            here = (places[:, None] * times + np.arange(times)).ravel()
            draws = _draws(here, longest, seed).to(model.device) if nucleus else None
            written, ln_p = _write(model, ids, seen, blanks[here], end, nucleus, draws, times, longest)
            for place, tokens, own in zip(here, written.tolist(), ln_p.tolist()):
                fillings[place] = _cut(tokens, end, blanks[place], tokenizer)
                sums = [sum(own[first : stop + 1]) for first, stop in _closed(tokens, end, blanks[place])]
                logprobs[place] = sums + [float("nan")] * (blanks[place] - len(sums))
    return fillings, logprobs


def _write(model, ids, seen, blanks, end, nucleus, draws, times, longest):
    """Token by token; a row whose blanks are filled leaves the batch. Returns (tokens, ln p) [rows, longest]."""
    left = torch.as_tensor(blanks, device=ids.device).clone()
    rows, tokens, cache = torch.arange(len(left), device=ids.device), ids, None
    written, ln_p = ids.new_full((len(left), longest), -1), torch.zeros(len(left), longest, device=ids.device)
    for at in range(min(longest, model.config.max_position_embeddings - ids.shape[1])):
        scores, cache = _next(model, tokens, seen, cache)
        if at == 0 and times > 1:  # the prompt was read once
            scores, seen = scores.repeat_interleave(times, 0), seen.repeat_interleave(times, 0)
            cache.batch_repeat_interleave(times)
        chosen = scores.argmax(1) if draws is None else _drawn(scores, draws[rows, at], nucleus)
        written[rows, at], ln_p[rows, at] = chosen, scores.gather(1, chosen[:, None])[:, 0]
        left[rows] -= (chosen == end).long()
        (going,) = torch.nonzero(left[rows] > 0, as_tuple=True)
        if len(going) == 0:
            break
        if len(going) < len(rows):
            cache.batch_select_indices(going)
        rows, tokens = rows[going], chosen[going, None]
        seen = torch.cat([seen[going], torch.ones_like(tokens)], 1)
    return written, ln_p


def _next(model, tokens, seen, cache):
    """Log probabilities of the token after each row, [rows, vocabulary], and the cache that has read the rows."""
    places = (seen.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
    how = {"attention_mask": seen, "position_ids": places, "past_key_values": cache, "use_cache": True}
    output = model(tokens, logits_to_keep=1, **how)
    return output.logits[:, -1].float().log_softmax(-1), output.past_key_values


def _draws(rows, longest, seed):
    """Uniform numbers [rows, longest], each row's from a generator of its own."""
    own = [np.random.Generator(np.random.Philox(key=[seed, row])).random(longest, np.float32) for row in rows]
    return torch.tensor(np.array(own))


def _drawn(ln_p, uniform, nucleus):
    """One token a row, drawn from the fewest tokens whose probabilities reach the nucleus (Holtzman et al. 2020)."""
    top, tokens = ln_p.topk(min(WIDE, ln_p.shape[1]))
    drawn = _inverse(top, tokens, uniform, nucleus)
    (more,) = torch.nonzero(top.exp().sum(1) < nucleus, as_tuple=True)
    if len(more):
        drawn[more] = _inverse(*ln_p[more].sort(descending=True), uniform[more], nucleus)
    return drawn


def _inverse(ln_p, tokens, uniform, nucleus):
    """Where the distribution function of the nucleus reaches a uniform number; tokens stand by falling probability."""
    reached = ln_p.exp().cumsum(1)
    last = (reached < nucleus).sum(1, keepdim=True).clamp(max=reached.shape[1] - 1)  # the token that crosses the mass
    place = (reached <= uniform[:, None] * reached.gather(1, last)).sum(1, keepdim=True)
    return tokens.gather(1, torch.minimum(place, last))[:, 0]


def answers(tokenizer, tokens, roles):
    """What the learner wrote in each blank of an example: a list of str, as long as it has blanks."""
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    return _cut(tokens[len(prompt(tokens, roles)) :].tolist(), end, n_blanks(roles), tokenizer)


def rank(answer, fillings):
    """Place of the answer among fillings, best first: 1, 2, ..., or 0. Spaces around a word are no part of it."""
    found = [filling.strip() for filling in fillings]
    return found.index(answer.strip()) + 1 if answer.strip() in found else 0


def _closed(written, end, n):
    """Where the first n stretches begin and stop that <|endofinfill|> closes; it stands at their stop."""
    stops = [at for at, token in enumerate(written) if token == end][:n]
    return list(zip([0, *(stop + 1 for stop in stops)], stops))


def _cut(written, end, n, tokenizer):
    """Those stretches decoded; "" for those that never came."""
    filled = [tokenizer.decode(written[first:stop]) for first, stop in _closed(written, end, n)]
    return filled + [""] * (n - len(filled))


def _batches(model, prompts):
    """Prompts of like length together: their places, token ids and attention mask [rows, width], padded on the left."""
    width = np.array([len(one) for one in prompts])
    order, first = np.argsort(width, kind="stable"), 0
    while first < len(order):
        room = np.arange(1, len(order) - first + 1) * width[order[first:]]  # tokens, if so many prompts go together
        places = order[first : first + max(1, np.searchsorted(room, BATCH, side="right"))]
        first += len(places)
        ids = torch.zeros(len(places), width[places[-1]], dtype=torch.long)
        seen = torch.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, -width[place] :] = torch.as_tensor(prompts[place])
            seen[row, -width[place] :] = 1
        yield places, ids.to(model.device), seen.to(model.device)


def overlap(answer, infill, n):
    """Shared share of character n-grams as multisets: 2 |A & B| / (|A| + |B|); 1.0 when neither has any."""
    a, b = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (answer.strip(), infill.strip()))
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else 1.0


def n_blanks(roles):
    return int((roles == CONTEXT_SPECIAL).sum())
