"""Fillings of blanks: the most probable ones of a single blank by beam search, and sampled ones of any mask.

Both read each prompt once and cache it. transformers' `generate` is not used for four reasons. It reads a prompt again
for each of its fillings. It continues finished texts up to the end of the longest. Its beam search considers a filling
complete only if the end token is among the next candidates. Its samples depend on the other rows of a batch.
"""

from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from lib.infilling.kv_cache import PromptBatch, UncachedRows, model_inputs, prompt_batches
from lib.masking.examples import CONTEXT_SPECIAL, SEPARATOR
from lib.models import loading, packing

BATCH_TOKENS = 8192  # of the prompts in memory at once, padding included
BATCHES_AT_ONCE = 4  # batches of prompts that share the output layer in sampling
MERGE_ROWS = 16  # batches of together at most so many rows are merged
NUCLEUS_TOKENS = 256  # sorted to find the nucleus; all, if these do not hold its mass
BLOCK_SIZE = 8  # tokens of which only the maximum is compared first
MAX_WORD_TOKENS = 12  # tokens of a single blank's filling before the search stops


def build_prompt(tokens, roles):
    """The part of an example that a model may see: everything up to and including <|startofinfill|>."""
    return tokens[: int(np.argmax(roles == SEPARATOR)) + 1]


def top_words(model, tokenizer, prompts, num_beams, k=5):
    """The k most probable fillings of each prompt's only blank, by beam search.

    Returns (fillings, logprobs), in the order of prompts: k strings per prompt, and their summed log probabilities in
    nats, end token included, best first. No filling is empty, since a blank has at least one token.
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    best = [[]] * len(prompts)
    with torch.inference_mode():
        for indices, *batch in prompt_batches(model, prompts, BATCH_TOKENS):
            for index, candidates in zip(indices, _beam_search(model, *batch, end, num_beams, k)):
                best[index] = candidates
    fillings = [[tokenizer.decode(tokens) for _, tokens in candidates] for candidates in best]
    logprobs = [[logprob for logprob, _ in candidates] for candidates in best]
    return fillings, logprobs


def _beam_search(model, input_ids, attention_mask, end, num_beams, k):
    """The k best fillings of each prompt, as pairs (log probability, token ids), best first.

    Shapes: input_ids, attention_mask [n, width]; beam_logprobs [n, beams]; beams [n, beams, length].
    """
    n, cache = len(input_ids), None
    beam_logprobs = torch.zeros(n, 1, device=input_ids.device)
    beams = input_ids.new_empty(n, 1, 0)
    complete = [[] for _ in range(n)]
    max_length = min(MAX_WORD_TOKENS, loading.max_positions(model.config) - input_ids.shape[1])
    tokens = input_ids
    for length in range(max_length + 1):
        next_logprobs, cache = _next_logprobs(model, tokens, attention_mask, cache)
        logprobs = beam_logprobs[..., None] + next_logprobs.view(n, beams.shape[1], -1)
        if length:
            ended = zip(complete, logprobs[:, :, end].tolist(), beams.tolist())
            complete = [sorted([*best, *zip(*new)], reverse=True)[:k] for best, *new in ended]
        logprobs[:, :, end] = -torch.inf
        n_beams, n_tokens = logprobs.shape[1:]
        beam_logprobs, chosen = logprobs.flatten(1).topk(min(num_beams, n_beams * n_tokens))
        if all(len(best) == k and best[-1][0] >= top for best, top in zip(complete, beam_logprobs[:, 0].tolist())):
            break  # a longer filling can only be less probable
        parents = (chosen // n_tokens + n_beams * torch.arange(n, device=chosen.device)[:, None]).flatten()
        tokens = (chosen % n_tokens).view(-1, 1)
        cache.reorder_cache(parents)
        beams = torch.cat([beams.flatten(0, 1)[parents], tokens], 1).view(n, beam_logprobs.shape[1], -1)
        attention_mask = torch.cat([attention_mask[parents], torch.ones_like(tokens)], 1)
    return complete


def _next_logprobs(model, tokens, attention_mask, cache):
    """Log probabilities of the token after each row, [rows, vocabulary], and the updated cache."""
    if packing.supports_packing(model):
        output = model(**model_inputs(tokens, attention_mask, cache), logits_to_keep=1)
        return output.logits[:, -1].float().log_softmax(-1), output.past_key_values
    rows = cache or UncachedRows()
    return rows.read(model, tokens, attention_mask), rows


class _Fillings(NamedTuple):
    """The fillings being generated, one per row."""

    tokens: torch.Tensor  # [rows, max_new_tokens], -1 where not yet generated
    logprobs: torch.Tensor  # of these tokens
    open_blanks: torch.Tensor  # blanks not yet closed by an end token [rows]
    uniform: torch.Tensor | None  # random numbers [rows, max_new_tokens]; None for greedy decoding


def sample_infills(model, tokenizer, prompts, n_blanks, top_p=None, seed=0, n_samples=1, max_new_tokens=128):
    """Fill all blanks of each prompt, greedily or by nucleus sampling.

    n_blanks: int [n], of each prompt; top_p: the nucleus' probability mass, with the token that crosses it included, or
    None for greedy decoding; n_samples: fillings of each prompt. Returns (fillings, logprobs) of n * n_samples, those
    of a prompt side by side: one string per blank, and their summed log probabilities in nats, end token included. A
    blank not reached within max_new_tokens has "" and nan. A sample depends on seed, prompt index and sample number,
    and not on the other rows of a batch.
    """
    if not len(prompts):
        return [], []
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    n_blanks = np.repeat(n_blanks, n_samples)
    fillings = _empty_fillings(n_blanks, max_new_tokens, seed if top_p else None, model.device)
    with torch.inference_mode():
        if packing.supports_packing(model):
            output_layer = _output_layer(model)
            batches = prompt_batches(model, prompts, BATCH_TOKENS // BATCHES_AT_ONCE)
            while group := [PromptBatch(*batch, n_samples) for batch in islice(batches, BATCHES_AT_ONCE)]:
                _generate(model, output_layer, group, fillings, end, top_p)
        else:
            _generate_uncached(model, prompts, n_samples, fillings, end, top_p)
    texts, logprobs = [], []
    for n, tokens, token_logprobs in zip(n_blanks, fillings.tokens.tolist(), fillings.logprobs.tolist()):
        sums = [sum(token_logprobs[start : stop + 1]) for start, stop in _closed_spans(tokens, end, n)]
        texts.append(_split_at_ends(tokens, end, n, tokenizer))
        logprobs.append(sums + [float("nan")] * (n - len(sums)))
    return texts, logprobs


def _empty_fillings(n_blanks, max_new_tokens, seed, device):
    """_Fillings before the first token. seed: of the uniform numbers, or None for greedy decoding."""
    open_blanks = torch.tensor(n_blanks, device=device)
    tokens = open_blanks.new_full((len(n_blanks), max_new_tokens), -1)
    uniform = None
    if seed is not None:
        generators = [np.random.Generator(np.random.Philox(key=[seed, row])) for row in range(len(n_blanks))]
        numbers = np.array([generator.random(max_new_tokens, np.float32) for generator in generators])
        uniform = torch.tensor(numbers, device=device)
    return _Fillings(tokens, torch.zeros(tokens.shape, device=device), open_blanks, uniform)


def _output_layer(model):
    """A function from hidden states [rows, width] to logits [rows, vocabulary]."""
    layer = model.get_output_embeddings()
    weight = layer.weight.T.contiguous()  # [width, vocabulary]: halves the time of a product with few rows on a CPU

    def logits(states):
        scores = (states @ weight).float()
        return scores if layer.bias is None else scores + layer.bias

    return logits


def _generate(model, output_layer, batches, fillings, end, top_p):
    """Write the fillings of these batches token by token, with one call of the output layer for all rows."""
    for position in range(fillings.tokens.shape[1]):
        rows = torch.cat([batch.rows for batch in batches])
        states = torch.cat([batch.hidden_states(model) for batch in batches])
        chosen = _write_tokens(output_layer(states), rows, position, fillings, end, top_p)
        for batch, tokens in zip(batches, chosen.split([len(batch.rows) for batch in batches])):
            full = batch.attention_mask.shape[1] >= loading.max_positions(model.config)
            batch.append(tokens, (fillings.open_blanks[batch.rows] > 0) & (not full))
        batches = [batch for batch in batches if len(batch.rows)]
        while len(batches) > 1 and len(batches[-2].rows) + len(batches[-1].rows) <= MERGE_ROWS:
            batches[-2].join(batches.pop())
        if not batches:
            break


def _generate_uncached(model, prompts, n_samples, fillings, end, top_p):
    """Write the fillings row by row and token by token, for a model that does not support packing."""
    for row in range(len(fillings.open_blanks)):
        tokens = torch.as_tensor(prompts[row // n_samples].astype(np.int64), device=model.device)
        for position in range(fillings.tokens.shape[1]):
            logits = model(tokens[None], use_cache=False).logits[:, -1].float()
            chosen = _write_tokens(logits, slice(row, row + 1), position, fillings, end, top_p)
            tokens = torch.cat([tokens, chosen])
            if fillings.open_blanks[row] == 0 or len(tokens) > loading.max_positions(model.config):
                break


def _write_tokens(logits, rows, position, fillings, end, top_p):
    """Choose the token of each row at a position, write it into the fillings, and return the tokens."""
    probabilities = logits.softmax(1)
    if fillings.uniform is None:
        chosen = probabilities.argmax(1)
    else:
        chosen = _sample_nucleus(probabilities, fillings.uniform[rows, position], top_p)
    fillings.tokens[rows, position] = chosen
    fillings.logprobs[rows, position] = probabilities.gather(1, chosen[:, None])[:, 0].log()
    fillings.open_blanks[rows] -= (chosen == end).long()
    return chosen


def _sample_nucleus(probabilities, uniform, top_p):
    """One token per row, sampled from the fewest tokens whose probabilities reach top_p (Holtzman et al. 2020).

    probabilities: [rows, vocabulary]; uniform: a random number per row."""
    top, tokens = _top_k(probabilities, NUCLEUS_TOKENS)
    sampled = _invert_distribution(top, tokens, uniform, top_p)
    (wider,) = torch.nonzero(top.sum(1) < top_p, as_tuple=True)
    if len(wider):
        in_order = probabilities[wider].sort(descending=True)
        sampled[wider] = _invert_distribution(*in_order, uniform[wider], top_p)
    return sampled


def _top_k(values, k):
    """values.topk(k) of each row, in a third of the time for a large vocabulary.

    Only the k blocks with the greatest maxima are sorted, and a remainder of less than BLOCK_SIZE tokens. The first of
    n blocks holds the tokens 0, n, 2n and so on.
    """
    n_blocks = values.shape[1] // BLOCK_SIZE
    if n_blocks < k:
        return values.topk(min(k, values.shape[1]))
    n_in_blocks = n_blocks * BLOCK_SIZE
    blocks = values[:, :n_in_blocks].unflatten(1, (BLOCK_SIZE, n_blocks)).amax(1).topk(k, sorted=False).indices
    members = blocks[:, None] + n_blocks * torch.arange(BLOCK_SIZE, device=values.device)[:, None]
    remainder = torch.arange(n_in_blocks, values.shape[1], device=values.device).expand(len(values), -1)
    tokens = torch.cat([members.flatten(1), remainder], 1)
    top, indices = values.gather(1, tokens).topk(k)
    return top, tokens.gather(1, indices)


def _invert_distribution(probabilities, tokens, uniform, top_p):
    """The token at which the nucleus' cumulative distribution reaches a uniform number; most probable tokens first."""
    cumulative = probabilities.cumsum(1)
    last = (cumulative < top_p).sum(1, keepdim=True).clamp(max=cumulative.shape[1] - 1)  # the token that crosses top_p
    index = (cumulative <= uniform[:, None] * cumulative.gather(1, last)).sum(1, keepdim=True)
    return tokens.gather(1, torch.minimum(index, last))[:, 0]


def split_answers(tokenizer, tokens, roles):
    """The learner's words in each blank of an example: a list of str, one per blank."""
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    return _split_at_ends(tokens[len(build_prompt(tokens, roles)) :].tolist(), end, count_blanks(roles), tokenizer)


def _closed_spans(tokens, end, n):
    """(start, stop) of the first n spans that an end token closes, which is at stop."""
    stops = [position for position, token in enumerate(tokens) if token == end][:n]
    return list(zip([0, *(stop + 1 for stop in stops)], stops))


def _split_at_ends(tokens, end, n, tokenizer):
    """The first n closed spans decoded; "" for those that no end token closes."""
    texts = [tokenizer.decode(tokens[start:stop]) for start, stop in _closed_spans(tokens, end, n)]
    return texts + [""] * (n - len(texts))


def count_blanks(roles):
    """The number of blanks of an example."""
    return int((roles == CONTEXT_SPECIAL).sum())
