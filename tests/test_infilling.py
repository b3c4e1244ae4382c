"""Claims about fillings: the search finds the most probable ones, and no neighbour in a batch changes them."""

import itertools

import numpy as np
import pytest
import torch
from conftest import SENTENCE
from transformers import GPT2Config, GPT2LMHeadModel

from lib import examples, infilling, masks
from lib.indexing import encode

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
    return examples.example(*encode(tokenizer, SENTENCE), spans, first_special)


@pytest.fixture(scope="module")
def prompts(tokenizer, first_special):
    """Prompts of 3 to 27 tokens, so that all but the longest are padded in a batch."""
    rng = np.random.default_rng(0)
    return [np.append(rng.integers(0, first_special, n), [first_special + 6, first_special]) for n in (1, 25, 8, 16)]


def test_padding_changes_no_word(model, tokenizer, prompts):
    together, ln_p = infilling.top_words(model, tokenizer, prompts, beams=5)
    for i, one in enumerate(prompts):
        alone, ln_p_alone = infilling.top_words(model, tokenizer, [one], beams=5)
        assert alone[0] == together[i] and ln_p_alone[0] == pytest.approx(ln_p[i], abs=1e-4)


def test_padding_changes_nothing_that_generate_writes(model, prompts):
    greedy = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": None}
    written = [infilling._generate(model, *batch, **greedy)[:, -12:] for batch in infilling._batches(model, prompts)][0]
    for i, one in enumerate(prompts):
        alone = [infilling._generate(model, *batch, **greedy)[:, -12:] for batch in infilling._batches(model, [one])][0]
        assert alone[0].tolist() == written[i].tolist()


class Letters:
    """A tokenizer of eight tokens: a to g, and the end token."""

    def convert_tokens_to_ids(self, token):
        return 7

    def decode(self, ids):
        return "".join("abcdefg"[i] for i in ids)


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
    monkeypatch.setattr(infilling, "LONGEST_WORD", 3)
    model, prompt = tiny(8), np.array([1, 2, 3])
    with torch.inference_mode():
        best = all_fillings(model, prompt, 3)[:5]
    fillings, ln_p = infilling.top_words(model, Letters(), [prompt], beams=49)
    assert fillings[0] == [filling for filling, _ in best]
    assert ln_p[0] == pytest.approx([score for _, score in best], abs=1e-4)


def test_answers_are_what_the_learner_wrote(tokenizer, built):
    assert infilling.answers(tokenizer, *built) == [" leftover pasta", " lunch"]


def test_a_prompt_ends_with_the_separator_and_gives_no_answer_away(tokenizer, built):
    shown = tokenizer.decode(infilling.prompt(*built))
    assert shown == "She ate<|infill_ngram|> for<|infill_word|>.<|startofinfill|>"


def test_each_blank_gets_one_sampled_filling_and_the_same_for_the_same_seed():
    prompts, blanks = [np.arange(n) for n in (2, 7, 4)], [1, 3, 2]
    filled = [infilling.sample(tiny(8), Letters(), prompts, blanks, 0.95, seed) for seed in (1, 1, 2)]
    assert [len(one) for one in filled[0]] == blanks and any(map(any, filled[0]))
    assert filled[0] == filled[1] != filled[2]


def test_a_blank_that_is_never_closed_stays_empty(tokenizer):
    a, b, end = tokenizer.encode("a")[0], tokenizer.encode("b")[0], tokenizer.convert_tokens_to_ids("<|endofinfill|>")
    assert infilling._cut([a, b, end, b, end, a], end, 3, tokenizer) == ["ab", "b", ""]
    assert infilling._cut([a, end, b, end], end, 1, tokenizer) == ["a"]


def test_sampling_goes_on_behind_an_end_of_text(model, tokenizer, prompts):
    """Only <|endofinfill|> ends a filling; transformers would also stop where the model's eos_token_id comes."""
    forced = iter([tokenizer.eos_token_id] * 3 + [tokenizer.convert_tokens_to_ids("<|endofinfill|>")])

    def force(module, inputs, logits):
        return torch.full_like(logits, -100.0).index_fill(-1, torch.tensor([next(forced)]), 100.0)

    model.generation_config.eos_token_id = tokenizer.eos_token_id
    hook = model.lm_head.register_forward_hook(force)
    try:
        assert infilling.sample(model, tokenizer, prompts[:1], [1], 0.95, 0) == [["<|endoftext|>" * 3]]
    finally:
        hook.remove()


def test_a_model_that_is_not_there_is_asked_nothing(tokenizer):
    assert infilling.top_words(None, tokenizer, [], 5) == ([], [])
    assert infilling.sample(None, tokenizer, [], [], 0.95, 0) == []


@pytest.mark.parametrize(("answer", "rank"), [("lunch", 2), ("dinner", 1), ("Lunch", 0), ("pasta", 0)])
def test_a_rank_is_the_place_among_fillings_whatever_the_spaces(answer, rank):
    assert infilling.rank(answer, [" dinner", " lunch ", "lunch"]) == rank


PAIRS = [("abb", "bba", 1, 1.0), ("abb", "bba", 2, 0.5), ("ab", "cd", 1, 0.0), (" a ", "a", 2, 1.0)]


@pytest.mark.parametrize(("a", "b", "n", "share"), PAIRS)
def test_overlap_counts_letters_as_multisets(a, b, n, share):
    assert infilling.overlap(a, b, n) == share
