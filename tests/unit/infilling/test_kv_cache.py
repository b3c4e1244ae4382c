"""Claims about batches of prompts: hidden states are those of each text alone, read without a cache."""

import pytest
import torch

from lib.infilling import kv_cache

PROMPTS = [[5, 6], [1, 2, 3, 4, 5], [7], [5, 4, 3, 2, 1]]


def test_prompts_of_similar_length_share_a_batch(model):
    found = [
        (indices.tolist(), ids.tolist(), mask.tolist())
        for indices, ids, mask in kv_cache.prompt_batches(model, PROMPTS, 6)
    ]
    assert found == [
        ([2, 0], [[0, 7], [5, 6]], [[0, 1], [1, 1]]),  # 4 tokens; with the next prompt it would be 15
        ([1], [PROMPTS[1]], [[1] * 5]),
        ([3], [PROMPTS[3]], [[1] * 5]),
    ]


def test_positions_count_from_the_first_token_after_padding():
    tokens, mask = torch.tensor([[0, 0, 8, 9], [6, 7, 8, 9]]), torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    assert kv_cache.model_inputs(tokens, mask, None)["position_ids"].tolist() == [[0, 0, 0, 1], [0, 1, 2, 3]]
    assert kv_cache.model_inputs(tokens[:, -1:], mask, None)["position_ids"].tolist() == [[1], [3]]


def uncached_state(model, tokens):
    """The hidden state that predicts the token after these, without a cache."""
    return model.base_model(torch.tensor([tokens])).last_hidden_state[0, -1]


@torch.no_grad()
def test_the_cache_gives_the_states_of_reading_without_it(model):
    written = torch.arange(2 * 2 * (kv_cache.SPARE_POSITIONS + 8)).reshape(-1, 4) % 50  # more than is allocated at once
    (prompts,) = kv_cache.prompt_batches(model, PROMPTS[:2], 100)
    batch = kv_cache.PromptBatch(*prompts, 2)
    for tokens in written:
        batch.hidden_states(model)
        batch.append(tokens, torch.tensor([True] * 4))
    for row, state in zip(batch.rows.tolist(), batch.hidden_states(model)):
        text = PROMPTS[row // 2] + written[:, batch.rows.tolist().index(row)].tolist()
        assert state.tolist() == pytest.approx(uncached_state(model, text).tolist(), abs=1e-4)


@torch.no_grad()
def test_finished_rows_are_dropped_and_batches_merged(model):
    batches = []
    for indices, *prompts in kv_cache.prompt_batches(model, PROMPTS, 10):
        batch = kv_cache.PromptBatch(indices, *prompts, 1)
        batch.hidden_states(model)
        batch.append(torch.tensor([9] * len(indices)), torch.tensor([index != 2 for index in indices]))
        batches.append(batch)
    batches[0].join(batches[1])
    assert batches[0].rows.tolist() == [0, 1, 3]
    for row, state in zip([0, 1, 3], batches[0].hidden_states(model)):
        assert state.tolist() == pytest.approx(uncached_state(model, [*PROMPTS[row], 9]).tolist(), abs=1e-4)
