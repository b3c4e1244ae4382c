"""Claims about matrix products in bfloat16: which are rounded, and how far loss and gradient move."""

import pytest
import torch
from torch.nn.functional import linear
from transformers import LlamaConfig, LlamaForCausalLM

from lib.masking.examples import loss_weights
from lib.models import packing
from lib.models.bfloat16 import BFloat16Products
from lib.training.dataset import Steps


@pytest.fixture(scope="module")
def batch(index, drawing, settings, first_special):
    tokens, roles = Steps(index.iloc[:48], drawing, settings, 0, first_special).examples(0, 16)
    return packing.to_tensors(packing.pack_examples(tokens, loss_weights(roles)))


@pytest.fixture(scope="module", params=["GPT-2", "Llama"])
def any_model(request, model, tokenizer):
    """GPT-2's layers multiply by `addmm`, Llama's by `linear`."""
    if request.param == "GPT-2":
        return model
    torch.manual_seed(1)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), initializer_range=0.3, **size)).eval()


def loss_and_gradient(model, batch, bfloat16):
    model.zero_grad()
    with packing.packed_attention(model):
        loss = packing.chunked_loss(model, batch, bfloat16)
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in model.parameters()])


def rounded(x):
    return x.bfloat16().double()


@pytest.mark.parametrize("name", ["linear", "addmm"])
def test_factors_are_rounded_and_results_are_float32(name):
    torch.manual_seed(0)
    states = torch.randn(5, 300, requires_grad=True)
    weight = torch.randn(7, 300, requires_grad=True)
    bias = torch.randn(7)
    with BFloat16Products():
        product = linear(states, weight, bias) if name == "linear" else torch.addmm(bias, states, weight.T)
    product.backward(torch.ones(5, 7))
    expected = rounded(states) @ rounded(weight).T
    assert product.dtype == weight.grad.dtype == states.grad.dtype == torch.float32
    assert torch.allclose(product.double() - bias, expected, rtol=2**-7, atol=0.05)
    assert torch.allclose(weight.grad.double(), rounded(states).sum(0).expand(7, 300), rtol=2**-7, atol=0.02)
    assert torch.allclose(states.grad.double(), rounded(weight).sum(0).expand(5, 300), rtol=2**-7, atol=0.02)


def test_all_layers_of_a_model_multiply_in_bfloat16(any_model, batch):
    with packing.packed_attention(any_model), BFloat16Products() as products:
        packing._hidden_states(any_model, batch)
    layers = any_model.base_model.named_parameters()
    matrices = {id(weight) for name, weight in layers if weight.dim() == 2 and "wte" not in name and "wpe" not in name}
    embeddings = {id(any_model.get_input_embeddings().weight)}
    assert set(products.rounded) == matrices - embeddings


def test_loss_and_gradient_move_by_bfloat16s_precision_only(any_model, batch):
    exact, exact_gradient = loss_and_gradient(any_model, batch, False)
    loss, gradient = loss_and_gradient(any_model, batch, True)
    assert 0 < abs(loss - exact) < 0.01 * exact
    assert 0 < (gradient - exact_gradient).norm() < 0.05 * exact_gradient.norm()


def test_examples_read_one_at_a_time_are_multiplied_in_it_too(any_model, batch):
    packed = loss_and_gradient(any_model, batch, True)[0]
    any_model.supports_packing = False
    try:
        alone = loss_and_gradient(any_model, batch, True)[0]
        exact = loss_and_gradient(any_model, batch, False)[0]
    finally:
        del any_model.supports_packing
    assert alone != exact and alone == pytest.approx(packed, rel=1e-2)
