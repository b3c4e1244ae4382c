"""Claims about packed batches: the losses of single examples, no leak between them, and a CPU model of a GPU."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, set_seed

from lib.evaluation import scoring
from lib.experiment import parameters
from lib.masking import frozen_masks
from lib.masking.examples import CONTEXT, INFILL, INFILL_SPECIAL, loss_weights
from lib.models import attention, initialization, packing
from lib.training import loop
from lib.training.dataset import Steps

PADDED = 256  # tokens of a row in upstream's batches


@pytest.fixture(scope="module")
def settings():
    small = {"max_examples": 120, "examples_per_step": 24, "eval_every": 48, "n_layer": 1, "n_head": 2, "n_embd": 32}
    return parameters.load_file("params/demo/a1.yaml").model_copy(update=small)


@pytest.fixture(scope="module")
def steps(index, drawing, settings, first_special):
    return Steps(index.iloc[:48], drawing, settings, 0, first_special)


@pytest.fixture(scope="module")
def step(steps):
    """One step's 24 examples: tokens and roles."""
    return steps.examples(0, 24)


@pytest.fixture(autouse=True)
def pad_as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(packing, "PAD_TO_MULTIPLE", 128)


def losses(model, tokens, weights):
    with packing.packed_attention(model):
        return packing.token_losses(model, packing.to_tensors(packing.pack_examples(tokens, weights)))


def gradient(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def packed_loss(model, tokens, roles):
    with packing.packed_attention(model):
        return packing.chunked_loss(model, packing.to_tensors(packing.pack_examples(tokens, loss_weights(roles))))


def expected_losses(model, tokens):
    """Cross-entropy of all tokens but each example's first, each example in a batch of its own."""
    alone = [cross_entropy(model(torch.tensor(one[None].astype(int))).logits[0, :-1],
                           torch.tensor(one[1:].astype(int)), reduction="none") for one in tokens]  # fmt: skip
    return torch.cat(alone)


@pytest.fixture(params=["_per_sequence_sdpa", "_padded_sdpa"])
def each_kernel(request, monkeypatch):
    """Attention on a CPU, and on a GPU in float32."""
    monkeypatch.setattr(attention, "_per_sequence_sdpa", getattr(attention, request.param))


def test_a_packed_batch_gives_the_losses_of_single_examples(model, step, each_kernel):
    tokens, _ = step
    weights = [np.ones(len(one), np.float32) for one in tokens]
    found, expected = losses(model, tokens, weights), expected_losses(model, tokens)
    assert (found[: len(expected)] - expected).abs().max() < 1e-5


def test_grouped_queries_and_rotary_positions_change_nothing(step, each_kernel):
    torch.manual_seed(1)
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=520, hidden_size=32, intermediate_size=64, **heads)).eval()
    tokens = step[0][:6]
    expected = expected_losses(llama, tokens)
    found = losses(llama, tokens, [np.ones(len(one), np.float32) for one in tokens])
    assert (found[: len(expected)] - expected).abs().max() < 1e-5


def upstream_loss(model, tokens, roles):
    """ILM's loss of one batch as upstream computes it: padded rows, attention mask, two means over the batch."""
    ids, role = np.zeros((2, len(tokens), PADDED), int)
    for row, (one, its) in enumerate(zip(tokens, roles)):
        ids[row, : len(one)], role[row, : len(one)] = one, its
    ids, role = torch.tensor(ids), torch.tensor(role)
    logits = model(ids, attention_mask=(role > 0).long()).logits[:, :-1].flatten(0, 1)
    means = []
    for kinds in [(INFILL, INFILL_SPECIAL), (CONTEXT,)]:
        wanted = torch.isin(role, torch.tensor(kinds))
        labels = torch.where(wanted, ids, -1)[:, 1:].flatten()
        means.append(cross_entropy(logits, labels, ignore_index=-1))
    return sum(means)


def test_a_step_has_the_gradient_of_upstreams_three_padded_batches(model, step):
    tokens, roles = step
    batches = [upstream_loss(model, tokens[at : at + 8], roles[at : at + 8]) / 3 for at in (0, 8, 16)]
    theirs = gradient(model, sum(batches))
    ours = gradient(model, packed_loss(model, tokens, roles))
    assert (ours - theirs).abs().max() < 1e-5 * max(1, theirs.abs().max().item())


def test_the_order_of_examples_does_not_change_the_gradient(model, step):
    tokens, weights = step[0], loss_weights(step[1])
    order = np.random.default_rng(0).permutation(24)

    def loss(order):
        batch = packing.to_tensors(packing.pack_examples([tokens[i] for i in order], [weights[i] for i in order]))
        with packing.packed_attention(model):
            return packing.weighted_loss(model, batch)

    as_drawn = gradient(model, loss(range(24)))
    shuffled = gradient(model, loss(order))
    assert (as_drawn - shuffled).abs().max() < 1e-5 * as_drawn.abs().max()


def test_padding_changes_nothing(model, step, monkeypatch):
    tokens, roles = step
    padded = packing.pack_examples(tokens, loss_weights(roles))
    found = gradient(model, packed_loss(model, tokens, roles))
    assert (
        padded["input_ids"].shape[1] % packing.PAD_TO_MULTIPLE == 0
        and len(padded["target_positions"]) % packing.PAD_TO_MULTIPLE == 0
    )
    for multiple in (1, 1024):
        monkeypatch.setattr(packing, "PAD_TO_MULTIPLE", multiple)
        again = gradient(model, packed_loss(model, tokens, roles))
        assert (found - again).abs().max() < 1e-5 * found.abs().max()


def test_no_example_is_longer_than_max_seqlen(steps):
    """On a GPU, what lies beyond max_seqlen would not be computed: the output would be uninitialised memory."""
    for step in map(steps.__getitem__, range(len(steps))):
        lengths = np.diff(step["cu_seqlens"])
        assert (
            lengths.min() > 0
            and lengths.max() <= step["max_seqlen"]
            and step["cu_seqlens"][-1] == step["input_ids"].size
        )
        assert step["position_ids"].max() < lengths.max()


def test_transformers_own_attention_leaks_between_examples(model, step):
    """The reason for packed attention: two of three ways to pass a packed batch to transformers are wrong."""
    tokens = step[0][:4]
    batch = packing.to_tensors(packing.pack_examples(tokens, [np.ones(len(one), np.float32) for one in tokens]))
    inputs = {"input_ids": batch["input_ids"], "position_ids": batch["position_ids"]}
    positions, targets = batch["target_positions"], batch["targets"]

    def largest_error(**options):
        logits = model(**inputs, **options).logits[0, positions]
        found = cross_entropy(logits, targets, reduction="none")[: len(expected)]
        return (found - expected).abs().max().item()

    expected = expected_losses(model, tokens)
    assert largest_error(use_cache=True) > 1e-2
    assert largest_error(use_cache=False, attention_mask=torch.ones_like(batch["input_ids"])) > 1e-2
    with packing.packed_attention(model):
        boundaries = {"cu_seqlens": batch["cu_seqlens"], "max_seqlen": batch["max_seqlen"]}
        assert (
            largest_error(use_cache=True, **boundaries) < 1e-5 and largest_error(use_cache=False, **boundaries) < 1e-5
        )


def test_one_compiled_graph_gives_the_same_loss_at_every_length(tokenizer, settings, steps, monkeypatch):
    monkeypatch.setattr(
        attention, "_per_sequence_sdpa", attention._padded_sdpa
    )  # the only one that can be compiled without a GPU
    model = initialization.initial_model(settings, tokenizer, 256)
    compiled = torch.compile(packing.weighted_loss, backend="eager", dynamic=True, fullgraph=True)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with packing.packed_attention(model):
        for item in range(3):
            batch = packing.to_tensors(steps[item])
            plain, quick = (gradient(model, loss(model, batch)) for loss in (packing.weighted_loss, compiled))
            assert (plain - quick).abs().max() < 1e-5 * plain.abs().max()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


@pytest.fixture(scope="module")
def valid(index, drawing, first_special):
    held_out = index.iloc[48:]
    return scoring.frozen_examples(
        held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1), first_special
    )


def test_a_loss_that_is_nan_stops_before_anything_is_saved(steps, valid, settings, tokenizer, tmp_path, monkeypatch):
    """Also if only the log tests it, as on a GPU."""
    set_seed(0)
    for words, finite in [("at step 0", torch.isfinite), ("at or before step 2", lambda loss: True)]:
        model = initialization.initial_model(settings, tokenizer, 256)
        model.transformer.ln_f.bias.data[0] = torch.nan
        with monkeypatch.context() as patch, pytest.raises(FloatingPointError, match=f"{words}. Nothing is saved"):
            patch.setattr(torch, "isfinite", finite)
            loop.train(model, steps, valid, settings, 0, tmp_path, "test", {})
        assert not list(tmp_path.glob("checkpoint-*"))


def test_the_chunked_loss_is_the_weighted_loss(model, step, monkeypatch):
    """Its gradient too, also scaled, as by gradient accumulation."""
    monkeypatch.setattr(packing, "LOGIT_ROWS", 50)
    batch = packing.to_tensors(packing.pack_examples(step[0], loss_weights(step[1])))
    with packing.packed_attention(model):
        plain = packing.weighted_loss(model, batch)
        found = packing.chunked_loss(model, batch)
    assert found.item() == pytest.approx(plain.item(), rel=1e-6)
    found, plain = gradient(model, found / 3), gradient(model, plain / 3)
    assert (found - plain).abs().max() < 1e-6 * plain.abs().max()
