"""Claims about prompts read side by side: a model sees each as if it stood alone and were read anew each time."""

import pytest
import torch

from lib.infilling import kv_cache

PROMPTS = [[5, 6], [1, 2, 3, 4, 5], [7], [5, 4, 3, 2, 1]]


def test_prompts_of_like_length_go_together_as_far_as_there_is_room(model):
    found = [
        (places.tolist(), ids.tolist(), seen.tolist()) for places, ids, seen in kv_cache.batches(model, PROMPTS, 6)
    ]
    assert found == [
        ([2, 0], [[0, 7], [5, 6]], [[0, 1], [1, 1]]),  # 4 tokens; with the next it would be 15
        ([1], [PROMPTS[1]], [[1] * 5]),
        ([3], [PROMPTS[3]], [[1] * 5]),
    ]


def test_positions_count_from_the_first_token_behind_the_padding():
    tokens, seen = torch.tensor([[0, 0, 8, 9], [6, 7, 8, 9]]), torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    assert kv_cache.given(tokens, seen, None)["position_ids"].tolist() == [[0, 0, 0, 1], [0, 1, 2, 3]]
    assert kv_cache.given(tokens[:, -1:], seen, None)["position_ids"].tolist() == [[1], [3]]


def anew(model, tokens):
    """What the output layer is given for the token behind these, read from the first on and without a cache."""
    return model.base_model(torch.tensor([tokens])).last_hidden_state[0, -1]


@torch.no_grad()
def test_what_is_kept_gives_the_states_of_reading_anew(model):
    written = torch.arange(2 * 2 * (kv_cache.ROOM + 8)).reshape(-1, 4) % 50  # more than the room that is made at once
    ((places, ids, seen),) = kv_cache.batches(model, PROMPTS[:2], 100)
    reader = kv_cache.Reader(places, ids, seen, 2)
    for tokens in written:
        reader.states(model)
        reader.write(tokens, torch.tensor([True] * 4))
    for row, state in zip(reader.rows.tolist(), reader.states(model)):
        whole = PROMPTS[row // 2] + written[:, reader.rows.tolist().index(row)].tolist()
        assert state.tolist() == pytest.approx(anew(model, whole).tolist(), abs=1e-4)


@torch.no_grad()
def test_rows_that_have_ended_leave_and_others_join(model):
    readers = []
    for places, ids, seen in kv_cache.batches(model, PROMPTS, 10):
        readers.append(kv_cache.Reader(places, ids, seen, 1))
        readers[-1].states(model)
        readers[-1].write(torch.tensor([9] * len(places)), torch.tensor([place != 2 for place in places]))
    readers[0].join(readers[1])
    assert readers[0].rows.tolist() == [0, 1, 3]
    for row, state in zip([0, 1, 3], readers[0].states(model)):
        assert state.tolist() == pytest.approx(anew(model, [*PROMPTS[row], 9]).tolist(), abs=1e-4)
