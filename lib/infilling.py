"""What a model writes into blanks: the most probable fillings of one word, and sampled fillings of any mask.

Sampling is Hugging Face's `generate` (KV-cached; its nucleus keeps the token that crosses the mass), stopped at a text
once every blank has its <|endofinfill|>. Words have a beam search of their own: it tries every beginning as a whole
filling, where `generate` does so only if the end token is among the next best, and it reads each prompt once.
"""

from collections import Counter

import numpy as np
import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from lib.examples import CONTEXT_SPECIAL, SEPARATOR
from lib.scoring import quiet

BATCH = 32  # contexts decoded at once
LONGEST_WORD = 12  # tokens a single word may take before the search gives up


def prompt(tokens, roles):
    """The part of an example that a model may see: everything up to and with <|startofinfill|>."""
    return tokens[: int(np.argmax(roles == SEPARATOR)) + 1]


class AllBlanksFilled(StoppingCriteria):
    """A text is finished when it holds as many <|endofinfill|> as it has blanks. wanted: int [texts]."""

    def __init__(self, end_id, wanted):
        self.end_id, self.wanted = end_id, wanted

    def __call__(self, input_ids, scores, **_):
        return (input_ids == self.end_id).sum(1) >= self.wanted


def top_words(model, tokenizer, prompts, beams, k=5):
    """The k most probable fillings of each prompt's one blank that a beam search finds.

    Returns (fillings, logprobs): per prompt k strings and their summed log probabilities, end token included,
    in nats, best first. Prompts stay in order. An empty filling is none: a blank has at least one token.
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    found = []
    with torch.inference_mode():
        for ids, seen in _batches(model, prompts):
            found += _search(model, ids, seen, end, beams, k)
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
        places = (seen.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        how = {"attention_mask": seen, "position_ids": places, "past_key_values": cache, "use_cache": True}
        output = model(tokens, logits_to_keep=1, **how)
        ln_p = running[..., None] + output.logits[:, -1].float().log_softmax(-1).view(n, running.shape[1], -1)
        if length:
            ended = zip(found, ln_p[:, :, end].tolist(), written.tolist())
            found = [sorted(best + list(zip(*new)), reverse=True)[:k] for best, *new in ended]
        ln_p[:, :, end] = -torch.inf
        n_beams, n_tokens = ln_p.shape[1:]
        running, chosen = ln_p.flatten(1).topk(min(beams, n_beams * n_tokens))
        if all(len(best) == k and best[-1][0] >= top for best, top in zip(found, running[:, 0].tolist())):
            break  # a longer filling can only be less probable
        parents = (chosen // n_tokens + n_beams * torch.arange(n, device=ids.device)[:, None]).flatten()
        tokens, cache = (chosen % n_tokens).view(-1, 1), output.past_key_values
        cache.reorder_cache(parents)
        written = torch.cat([written.flatten(0, 1)[parents], tokens], 1).view(n, running.shape[1], -1)
        seen = torch.cat([seen[parents], torch.ones_like(tokens)], 1)
    return found


def sample(model, tokenizer, prompts, blanks, nucleus, seed, longest=128):
    """One sampled filling a blank. blanks: int [n], the blanks of each prompt.

    Returns a list of lists of str, prompts in order; a blank that `longest` new tokens did not reach holds "".
    """
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    torch.manual_seed(seed)
    filled = []
    for ids, seen in _batches(model, prompts):
        wanted = torch.tensor(blanks[len(filled) : len(filled) + len(ids)], device=model.device)
        found = _generate(
            model, ids, seen, max_new_tokens=longest, do_sample=True, top_p=nucleus, top_k=0, eos_token_id=None,
            stopping_criteria=StoppingCriteriaList([AllBlanksFilled(end, wanted)]),
        )  # fmt: skip
        for written, n in zip(found[:, ids.shape[1] :].tolist(), wanted.tolist()):
            filled.append(_cut(written, end, n, tokenizer))
    return filled


def answers(tokenizer, tokens, roles):
    """What the learner wrote in each blank of an example: a list of str, as long as it has blanks."""
    end = tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    return _cut(tokens[len(prompt(tokens, roles)) :].tolist(), end, n_blanks(roles), tokenizer)


def rank(answer, fillings):
    """Place of the answer among fillings, best first: 1, 2, ..., or 0. Spaces around a word are no part of it."""
    found = [filling.strip() for filling in fillings]
    return found.index(answer.strip()) + 1 if answer.strip() in found else 0


def _cut(written, end, n, tokenizer):
    """The first n stretches that <|endofinfill|> closes, decoded; "" for those that never came."""
    closed = [at for at, token in enumerate(written) if token == end][:n]
    spans = [written[start:at] for start, at in zip([0, *(at + 1 for at in closed)], closed)]
    return [tokenizer.decode(span) for span in spans] + [""] * (n - len(spans))


def _batches(model, prompts):
    """Left-padded token ids and attention masks, BATCH prompts each."""
    for first in range(0, len(prompts), BATCH):
        group = prompts[first : first + BATCH]
        width = max(map(len, group))
        ids = torch.zeros(len(group), width, dtype=torch.long)
        seen = torch.zeros(len(group), width, dtype=torch.long)
        for row, one in enumerate(group):
            ids[row, width - len(one) :] = torch.as_tensor(one)
            seen[row, width - len(one) :] = 1
        yield ids.to(model.device), seen.to(model.device)


def _generate(model, ids, seen, **how):
    quiet()  # generate repeats the same advice on padding for every batch
    room = model.config.max_position_embeddings - ids.shape[1]
    how["max_new_tokens"] = max(1, min(how["max_new_tokens"], room))
    with torch.inference_mode():
        return model.generate(ids, attention_mask=seen, pad_token_id=0, use_cache=True, **how)


def overlap(answer, infill, n):
    """Shared share of character n-grams as multisets: 2 |A & B| / (|A| + |B|); 1.0 when neither has any."""
    a, b = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (answer.strip(), infill.strip()))
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else 1.0


def n_blanks(roles):
    return int((roles == CONTEXT_SPECIAL).sum())
