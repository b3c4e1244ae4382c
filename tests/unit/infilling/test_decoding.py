"""Claims about fillings: the search finds the most probable ones, and no neighbour in a batch changes them."""

import itertools

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from lib.infilling import decoding
from lib.masking import examples, masks
from lib.masking.token_index import encode
from tests.helpers.learner_texts import SENTENCE

BLANKS = [(masks.NGRAM, "leftover pasta"), (masks.WORD, "lunch")]


def tiny(n_tokens):
    torch.manual_seed(3)
    size = {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 128}
    return GPT2LMHeadModel(GPT2Config(vocab_size=n_tokens, initializer_range=0.4, **size)).eval()


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny(len(tokenizer))


@pytest.fixture(scope="module")
def built(tokenizer, first_special):
    spans = np.array([(kind, SENTENCE.index(part), len(part)) for kind, part in BLANKS], np.int32)
    return examples.build_example(*encode(tokenizer, SENTENCE), spans, first_special)


@pytest.fixture(scope="module")
def prompts(tokenizer, first_special):
    """Prompts of 3 to 27 tokens, so that all but the longest are padded in a batch."""
    rng = np.random.default_rng(0)
    return [np.append(rng.integers(0, first_special, n), [first_special + 6, first_special]) for n in (1, 25, 8, 16)]


def test_padding_changes_no_word(model, tokenizer, prompts):
    together, ln_p = decoding.top_words(model, tokenizer, prompts, num_beams=5)
    for i, one in enumerate(prompts):
        alone, ln_p_alone = decoding.top_words(model, tokenizer, [one], num_beams=5)
        assert alone[0] == together[i] and ln_p_alone[0] == pytest.approx(ln_p[i], abs=1e-4)


@pytest.mark.parametrize("wide", [3, 256])
def test_the_nucleus_ends_with_the_token_that_crosses_the_mass(monkeypatch, wide):
    monkeypatch.setattr(decoding, "WIDE", wide)
    shares = torch.tensor([0.1, 0.4, 0.05, 0.3, 0.15])  # in order .4 .3 .15 .1 .05: .85 holds three, .851 four
    u = torch.arange(0, 1, 1e-4)
    for nucleus, kept in [(0.4, [1]), (0.5, [1, 3]), (0.86, [1, 3, 4, 0]), (0.9999, [1, 3, 4, 0, 2])]:
        drawn = decoding._drawn(shares.repeat(len(u), 1), u, nucleus)
        found = torch.bincount(drawn, minlength=5) / len(u)
        expected = torch.zeros(5).index_copy(0, torch.tensor(kept), shares[kept] / shares[kept].sum())
        assert torch.allclose(found, expected, atol=3e-4), nucleus


@pytest.mark.parametrize("n", [40, 63, 64, 71, 500])  # tokens; blocks of 8: 5 to 62, with a rest of 0 to 7
def test_the_greatest_of_blocks_are_the_greatest_of_all(n):
    p = torch.rand(9, n, generator=torch.Generator().manual_seed(n))
    p[::2, -1] += 10  # the greatest of every other row stands last
    top, tokens = decoding._greatest(p, 7)
    assert torch.equal(top, p.topk(7).values) and torch.equal(tokens, p.topk(7).indices)


class Letters:
    """A tokenizer of eight tokens: a to g, and the end token."""

    def convert_tokens_to_ids(self, token):
        return 7

    def decode(self, ids):
        return "".join("abcdefg"[i] for i in ids)


PROMPTS = [np.arange(first, first + n) % 7 for n in (2, 7, 4, 5) for first in range(5)]  # of Letters
N_BLANKS = [1, 3, 2, 1] * 5


def test_greedy_fillings_are_those_of_a_model_asked_token_by_token():
    """No cache, no neighbour and no row that has left the batch may show."""
    model = tiny(8)
    fillings, ln_p = decoding.sample_infills(model, Letters(), PROMPTS, N_BLANKS, longest=12)
    assert any(map(all, fillings)), "no text was filled: nothing is tested"
    for one, wanted, found, found_ln_p in zip(PROMPTS, N_BLANKS, fillings, ln_p):
        ids, sums = list(map(int, one)), [0.0]
        while len(ids) < len(one) + 12 and len(sums) <= wanted:
            scores = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            ids.append(int(scores.argmax()))
            sums[-1] += scores.max().item()
            sums += [0.0] * (ids[-1] == 7)
        closed = len(sums) - 1
        assert found == decoding._cut(ids[len(one) :], 7, wanted, Letters())
        assert found_ln_p[:closed] == pytest.approx(sums[:closed], abs=1e-4) and np.isnan(found_ln_p[closed:]).all()


@pytest.mark.parametrize("few", [0, 5, 16])  # rows at which batches are joined: never, late, at once
def test_what_is_drawn_depends_on_no_neighbour_and_on_no_batch(monkeypatch, few):
    how = {"top_p": 0.9, "seed": 4, "times": 2, "longest": 12}
    together = decoding.sample_infills(tiny(8), Letters(), PROMPTS, N_BLANKS, **how)[0]
    monkeypatch.setattr(decoding, "BATCH", 1)
    monkeypatch.setattr(decoding, "FEW", few)
    assert decoding.sample_infills(tiny(8), Letters(), PROMPTS, N_BLANKS, **how)[0] == together
    assert len(together) == 2 * len(PROMPTS) and together[0::2] != together[1::2]


def all_fillings(model, prompt, longest):
    """ln p of every filling of up to `longest` tokens with its end, asked of the model one by one."""
    found = {}
    for n in range(1, longest + 1):
        for written in itertools.product(range(7), repeat=n):
            ids = torch.tensor([[*prompt, *written, 7]])
            ln_p = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])  # of each token but the first
            found[Letters().decode(written)] = ln_p[len(prompt) - 1 :].sum().item()
    return sorted(found.items(), key=lambda one: -one[1])


def test_the_search_finds_the_most_probable_fillings_of_all(monkeypatch):
    monkeypatch.setattr(decoding, "LONGEST_WORD", 3)
    model, prompt = tiny(8), np.array([1, 2, 3])
    with torch.inference_mode():
        best = all_fillings(model, prompt, 3)[:5]
    fillings, ln_p = decoding.top_words(model, Letters(), [prompt], num_beams=49)
    assert fillings[0] == [filling for filling, _ in best]
    assert ln_p[0] == pytest.approx([score for _, score in best], abs=1e-4)


def test_answers_are_what_the_learner_wrote(tokenizer, built):
    assert decoding.split_answers(tokenizer, *built) == [" leftover pasta", " lunch"]


def test_a_prompt_ends_with_the_separator_and_gives_no_answer_away(tokenizer, built):
    shown = tokenizer.decode(decoding.build_prompt(*built))
    assert shown == "She ate<|infill_ngram|> for<|infill_word|>.<|startofinfill|>"


def test_each_blank_gets_one_filling_the_same_for_the_same_seed():
    prompts, blanks = [np.arange(n) for n in (2, 7, 4)], [1, 3, 2]
    filled = [decoding.sample_infills(tiny(8), Letters(), prompts, blanks, 0.95, seed)[0] for seed in (1, 1, 2)]
    assert [len(one) for one in filled[0]] == blanks and any(map(any, filled[0]))
    assert filled[0] == filled[1] != filled[2]


def test_a_blank_that_is_never_closed_stays_empty(tokenizer):
    a, b, end = tokenizer.encode("a")[0], tokenizer.encode("b")[0], tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    assert decoding._cut([a, b, end, b, end, a], end, 3, tokenizer) == ["ab", "b", ""]
    assert decoding._cut([a, end, b, end], end, 1, tokenizer) == ["a"]


def test_sampling_goes_on_behind_an_end_of_text(model, tokenizer, prompts):
    """Only <|endofinfill|> ends a filling; transformers would also stop where the model's eos_token_id comes."""
    forced = iter([tokenizer.eos_token_id] * 3 + [tokenizer.convert_tokens_to_ids("<|endofinfill|>")])

    def force(module, inputs, output):
        output.last_hidden_state[:, -1] = 1e5 * model.lm_head.weight[next(forced)]

    model.generation_config.eos_token_id = tokenizer.eos_token_id
    hook = model.base_model.register_forward_hook(force)
    try:
        assert decoding.sample_infills(model, tokenizer, prompts[:1], [1], 0.95)[0] == [["<|endoftext|>" * 3]]
    finally:
        hook.remove()


def test_a_model_that_is_not_there_is_asked_nothing(tokenizer):
    assert decoding.top_words(None, tokenizer, [], 5) == ([], [])
    assert decoding.sample_infills(None, tokenizer, [], [], 0.95) == ([], [])
