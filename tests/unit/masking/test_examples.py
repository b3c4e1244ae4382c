"""Claims about ILM examples: tokens, roles, loss weights, and the loss of a packed batch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from torch.nn.functional import cross_entropy

from lib.masking import examples, masks, token_index
from lib.masking.examples import CONTEXT, CONTEXT_SPECIAL, INFILL, INFILL_SPECIAL, ROLES, SEPARATOR, build_example
from lib.masking.segmentation import segment
from lib.masking.token_index import encode
from lib.models import packing
from tests.helpers.any_text import TEXTS, quickly
from tests.helpers.learner_texts import LEARNER_LIKE, SENTENCE

EXPECTED = [
    ("She", "context"),
    (" ate", "context"),
    ("<|infill_ngram|>", "context special"),
    (" for", "context"),
    ("<|infill_word|>", "context special"),
    (".", "context"),
    ("<|startofinfill|>", "separator"),
    (" leftover", "infill"),
    (" pasta", "infill"),
    ("<|endofinfill|>", "infill special"),
    (" lunch", "infill"),
    ("<|endofinfill|>", "infill special"),
]


def span(text, part, kind):
    return [kind, text.index(part), len(part)]


def build(tokenizer, text, spans, max_length=None):
    ids, starts, ends = encode(tokenizer, text)
    first = examples.first_special_of(tokenizer)
    return examples.build_example(ids, starts, ends, np.array(spans, np.int32).reshape(-1, 3), first, max_length)


@pytest.fixture(scope="module")
def running_example(tokenizer):
    def make(max_length=None):
        spans = [span(SENTENCE, "leftover pasta", masks.NGRAM), span(SENTENCE, "lunch", masks.WORD)]
        return build(tokenizer, SENTENCE, spans, max_length)

    return make


@pytest.fixture(scope="module")
def many(tokenizer, drawing):
    """24 examples of different lengths, some of them without a blank."""
    units = [segment(text) for text in LEARNER_LIKE]
    texts = SimpleNamespace(units=np.concatenate(units), unit_bounds=np.cumsum([0, *map(len, units)]))
    spans, ends, owner = masks.draw(texts, masks.text_keys(range(6)), drawing, 0, masks.TRAINING, 0, 4)
    built = [
        build(tokenizer, LEARNER_LIKE[text], spans[ends[m - 1] if m else 0 : ends[m]]) for m, text in enumerate(owner)
    ]
    return [example for example in built if example is not None]


@pytest.mark.parametrize("max_length", range(14))
def test_example_token_by_token_with_each_role_at_every_truncation(tokenizer, running_example, max_length):
    tokens, roles = running_example(max_length)
    built = [(tokenizer.decode([token]), ROLES[role]) for token, role in zip(tokens, roles)]
    assert built == EXPECTED[:max_length]


@pytest.mark.parametrize("character", ["’", "“", "…", "😀", "日", "مرحبا"])
def test_a_character_of_several_tokens_is_masked_whole(tokenizer, character):
    text = f"I like {character} very much"
    tokens, roles = build(tokenizer, text, [span(text, character, masks.WORD)])
    assert tokenizer.decode(tokens[roles == INFILL]).strip() == character
    assert tokenizer.decode(tokens[roles == CONTEXT]).replace("  ", " ") == "I like very much"


def test_answers_put_back_give_the_text(tokenizer, many):
    for tokens, roles in many:
        answers = np.split(tokens[roles >= INFILL], np.flatnonzero(roles[roles >= INFILL] == INFILL_SPECIAL) + 1)[:-1]
        context, whole = tokens[roles <= CONTEXT_SPECIAL].tolist(), []
        for token, role in zip(context, roles[roles <= CONTEXT_SPECIAL]):
            whole += answers.pop(0)[:-1].tolist() if role == CONTEXT_SPECIAL else [token]
        assert tokenizer.decode(whole) in LEARNER_LIKE


def test_two_spans_in_one_token_make_no_example(tokenizer):
    assert build(tokenizer, SENTENCE, [[masks.WORD, 0, 1], [masks.WORD, 1, 2]]) is None


def hand_loss(model, group):
    """ILM's loss of one group of examples, each alone in its own batch, written out."""
    infill, context = [], []
    for tokens, roles in group:
        logits = model(torch.tensor(tokens[None].astype(np.int64))).logits[0]
        for t in range(1, len(tokens)):
            loss = cross_entropy(logits[t - 1], torch.tensor(int(tokens[t])))
            if roles[t] in (INFILL, INFILL_SPECIAL):
                infill.append(loss)
            if roles[t] == CONTEXT:
                context.append(loss)
    return sum(infill) / len(infill) + sum(context) / len(context)


def test_loss_of_a_packed_batch_is_the_mean_over_groups_of_eight(model, many):
    by_hand = sum(hand_loss(model, many[first : first + 8]) for first in range(0, 24, 8)) / 3
    tokens, roles = zip(*many[:24])
    with packing.packed_attention(model):
        found = packing.chunked_loss(
            model, packing.to_tensors(packing.pack_examples(tokens, examples.loss_weights(roles)))
        )
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_weights_of_a_group_without_any_blank_count_context_only(tokenizer):
    _, roles = build(tokenizer, SENTENCE, [])
    weights = examples.loss_weights([roles])[0]
    assert weights[roles == CONTEXT].sum() == pytest.approx(1)
    assert weights[0] == 0 and weights[roles == SEPARATOR].sum() == 0


@quickly
@given(TEXTS)
def test_any_unit_of_any_text_can_be_a_blank(tokenizer, first_special, text):
    coded = token_index.encode(tokenizer, text)
    for row in segment(text):
        built = build_example(*coded, row[None], first_special)
        assert built is not None or not text
