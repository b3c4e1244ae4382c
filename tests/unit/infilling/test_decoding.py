"""Claims about fillings: the search finds the most probable ones, and the rest of a batch changes none of them."""

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
def example(tokenizer, first_special):
    spans = np.array([(kind, SENTENCE.index(words), len(words)) for kind, words in BLANKS], np.int32)
    return examples.build_example(*encode(tokenizer, SENTENCE), spans, first_special)


@pytest.fixture(scope="module")
def prompts(tokenizer, first_special):
    """Prompts of 3 to 27 tokens, so that all but the longest are padded in a batch."""
    rng = np.random.default_rng(0)
    return [np.append(rng.integers(0, first_special, n), [first_special + 6, first_special]) for n in (1, 25, 8, 16)]


def test_padding_changes_no_word(model, tokenizer, prompts):
    fillings, logprobs = decoding.top_words(model, tokenizer, prompts, num_beams=5)
    for i, prompt in enumerate(prompts):
        unpadded, unpadded_logprobs = decoding.top_words(model, tokenizer, [prompt], num_beams=5)
        assert unpadded[0] == fillings[i] and unpadded_logprobs[0] == pytest.approx(logprobs[i], abs=1e-4)


@pytest.mark.parametrize("n_sorted", [3, 256])
def test_the_nucleus_ends_with_the_token_that_crosses_the_mass(monkeypatch, n_sorted):
    monkeypatch.setattr(decoding, "NUCLEUS_TOKENS", n_sorted)
    p = torch.tensor([0.1, 0.4, 0.05, 0.3, 0.15])  # in order .4 .3 .15 .1 .05: .85 holds three, .851 four
    uniform = torch.arange(0, 1, 1e-4)
    for top_p, nucleus in [(0.4, [1]), (0.5, [1, 3]), (0.86, [1, 3, 4, 0]), (0.9999, [1, 3, 4, 0, 2])]:
        sampled = decoding._sample_nucleus(p.repeat(len(uniform), 1), uniform, top_p)
        found = torch.bincount(sampled, minlength=5) / len(uniform)
        expected = torch.zeros(5).index_copy(0, torch.tensor(nucleus), p[nucleus] / p[nucleus].sum())
        assert torch.allclose(found, expected, atol=3e-4), top_p


@pytest.mark.parametrize("n", [40, 63, 64, 71, 500])  # tokens: 5 to 62 blocks of 8, with a remainder of 0 to 7
def test_the_top_k_of_blocks_are_the_top_k_of_all_tokens(n):
    p = torch.rand(9, n, generator=torch.Generator().manual_seed(n))
    p[::2, -1] += 10  # in every other row, the last token has the maximum
    top, tokens = decoding._top_k(p, 7)
    assert torch.equal(top, p.topk(7).values) and torch.equal(tokens, p.topk(7).indices)


class Letters:
    """A tokenizer of eight tokens: a to g, and the end token."""

    def convert_tokens_to_ids(self, token):
        return 7

    def decode(self, ids):
        return "".join("abcdefg"[i] for i in ids)


PROMPTS = [np.arange(first, first + n) % 7 for n in (2, 7, 4, 5) for first in range(5)]  # of Letters
N_BLANKS = [1, 3, 2, 1] * 5


def test_greedy_fillings_are_those_of_decoding_without_cache():
    """Neither the cache, nor other rows, nor finished rows may have an effect."""
    model = tiny(8)
    fillings, logprobs = decoding.sample_infills(model, Letters(), PROMPTS, N_BLANKS, max_new_tokens=12)
    assert any(map(all, fillings)), "no text was filled, so nothing is tested"
    for prompt, n_blanks, found, found_logprobs in zip(PROMPTS, N_BLANKS, fillings, logprobs):
        ids, sums = list(map(int, prompt)), [0.0]
        while len(ids) < len(prompt) + 12 and len(sums) <= n_blanks:
            scores = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            ids.append(int(scores.argmax()))
            sums[-1] += scores.max().item()
            if ids[-1] == 7:
                sums.append(0.0)
        closed = len(sums) - 1
        assert found == decoding._split_at_ends(ids[len(prompt) :], 7, n_blanks, Letters())
        assert (
            found_logprobs[:closed] == pytest.approx(sums[:closed], abs=1e-4)
            and np.isnan(found_logprobs[closed:]).all()
        )


@pytest.mark.parametrize("merge_rows", [0, 5, 16])  # batches are merged never, late, at once
def test_samples_do_not_depend_on_the_rest_of_the_batch(monkeypatch, merge_rows):
    options = {"top_p": 0.9, "seed": 4, "n_samples": 2, "max_new_tokens": 12}
    fillings = decoding.sample_infills(tiny(8), Letters(), PROMPTS, N_BLANKS, **options)[0]
    monkeypatch.setattr(decoding, "BATCH_TOKENS", 1)
    monkeypatch.setattr(decoding, "MERGE_ROWS", merge_rows)
    assert decoding.sample_infills(tiny(8), Letters(), PROMPTS, N_BLANKS, **options)[0] == fillings
    assert len(fillings) == 2 * len(PROMPTS) and fillings[0::2] != fillings[1::2]


def all_fillings(model, prompt, max_length):
    """Every filling of up to max_length tokens, with its log probability, from one forward pass each."""
    found = {}
    for n in range(1, max_length + 1):
        for tokens in itertools.product(range(7), repeat=n):
            ids = torch.tensor([[*prompt, *tokens, 7]])
            ln_p = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])  # of each token but the first
            found[Letters().decode(tokens)] = ln_p[len(prompt) - 1 :].sum().item()
    return sorted(found.items(), key=lambda filling: -filling[1])


def test_the_search_finds_the_most_probable_fillings(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_WORD_TOKENS", 3)
    model, prompt = tiny(8), np.array([1, 2, 3])
    with torch.inference_mode():
        best = all_fillings(model, prompt, 3)[:5]
    fillings, ln_p = decoding.top_words(model, Letters(), [prompt], num_beams=49)
    assert fillings[0] == [filling for filling, _ in best]
    assert ln_p[0] == pytest.approx([score for _, score in best], abs=1e-4)


def test_answers_are_what_the_learner_wrote(tokenizer, example):
    assert decoding.split_answers(tokenizer, *example) == [" leftover pasta", " lunch"]


def test_a_prompt_ends_with_the_separator_without_answers(tokenizer, example):
    prompt = tokenizer.decode(decoding.build_prompt(*example))
    assert prompt == "She ate<|infill_ngram|> for<|infill_word|>.<|startofinfill|>"


def test_each_blank_gets_one_filling_which_follows_the_seed():
    prompts, blanks = [np.arange(n) for n in (2, 7, 4)], [1, 3, 2]
    filled = [decoding.sample_infills(tiny(8), Letters(), prompts, blanks, 0.95, seed)[0] for seed in (1, 1, 2)]
    assert [len(texts) for texts in filled[0]] == blanks and any(map(any, filled[0]))
    assert filled[0] == filled[1] != filled[2]


def test_a_blank_that_is_never_closed_stays_empty(tokenizer):
    a, b, end = tokenizer.encode("a")[0], tokenizer.encode("b")[0], tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    assert decoding._split_at_ends([a, b, end, b, end, a], end, 3, tokenizer) == ["ab", "b", ""]
    assert decoding._split_at_ends([a, end, b, end], end, 1, tokenizer) == ["a"]


def test_sampling_continues_after_an_end_of_text_token(model, tokenizer, prompts):
    """Only <|endofinfill|> ends a filling; transformers would also stop at the model's eos_token_id."""
    forced = iter([tokenizer.eos_token_id] * 3 + [tokenizer.convert_tokens_to_ids("<|endofinfill|>")])

    def force(module, inputs, output):
        output.last_hidden_state[:, -1] = 1e5 * model.lm_head.weight[next(forced)]

    model.generation_config.eos_token_id = tokenizer.eos_token_id
    hook = model.base_model.register_forward_hook(force)
    try:
        assert decoding.sample_infills(model, tokenizer, prompts[:1], [1], 0.95)[0] == [["<|endoftext|>" * 3]]
    finally:
        hook.remove()


def test_without_prompts_no_model_is_needed(tokenizer):
    assert decoding.top_words(None, tokenizer, [], 5) == ([], [])
    assert decoding.sample_infills(None, tokenizer, [], [], 0.95) == ([], [])
