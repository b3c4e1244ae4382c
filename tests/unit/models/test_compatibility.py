"""Claims about architectures: losses and fillings are those of each model's own forward pass."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from lib.infilling import decoding
from lib.models import compatibility, packing
from tests.helpers import architectures

NOT_PACKED = {
    "bloom",
    "codegen",
    "cohere",
    "cohere2",
    "falcon",
    "gemma2",
    "gpt_neo",
    "gpt_oss",
    "gptj",
    "granite",
    "lfm2",
}
NOT_PACKED |= {"mamba", "mpt", "nemotron", "stablelm", "xglm"}  # these read examples one at a time
END = architectures.N_TOKENS - 1
SPELLING = SimpleNamespace(convert_tokens_to_ids=lambda _: END, decode=lambda tokens: " ".join(map(str, tokens)))


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(1)
    return [rng.integers(architectures.N_TOKENS, size=n) for n in (90, 37, 150)]


@pytest.mark.parametrize("name", architectures.CONFIGS)
def test_losses_are_those_of_single_examples(name, examples):
    model = compatibility.check_and_adapt(architectures.tiny(name), 128)
    assert model.supports_packing == (name not in NOT_PACKED)
    weights = [np.ones(len(example), np.float32) for example in examples]
    batch = packing.to_tensors(packing.pack_examples(examples, weights))
    with torch.no_grad(), packing.packed_attention(model):
        found = packing.token_losses(model, batch)
    with torch.no_grad():
        logits = [model(torch.tensor(example)[None], use_cache=False).logits[0, :-1] for example in examples]
    expected = [
        cross_entropy(row, torch.tensor(example[1:]), reduction="none") for row, example in zip(logits, examples)
    ]
    assert (found - torch.cat(expected)).abs().max() < compatibility.TOLERANCE


@pytest.mark.parametrize("name", ["gpt2", "mistral", "gemma3_text"])
def test_without_packing_the_fillings_are_the_same(name, examples):
    model, found = architectures.tiny(name), []
    for model.supports_packing in [True, False]:
        words = decoding.top_words(model, SPELLING, examples[:2], num_beams=5)
        samples = decoding.sample_infills(model, SPELLING, examples[:2], [1, 2], top_p=0.9, seed=3, max_new_tokens=6)
        found.append((words, samples))
    (packed_words, packed_samples), (single_words, single_samples) = found
    assert packed_words[0] == single_words[0] and packed_samples[0] == single_samples[0]
    assert np.allclose(packed_words[1], single_words[1], atol=1e-4)


def test_a_model_without_packing_writes_and_learns(examples):
    model = compatibility.check_and_adapt(architectures.tiny("mamba"), 64)
    words, ln_p = decoding.top_words(model, SPELLING, examples[:1], num_beams=5, k=2)
    assert len(words[0]) == 2 and max(ln_p[0]) < 0
    batch = packing.to_tensors(
        packing.pack_examples(examples, [np.ones(len(example), np.float32) for example in examples])
    )
    packing.chunked_loss(model, batch).backward()
    assert all(weight.grad is not None for weight in model.get_input_embeddings().parameters())
