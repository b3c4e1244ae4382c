"""Claims about streams: the same numbers as example by example, no leak, and on a CPU what a GPU is to be given."""

import numpy as np
import pytest
import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, set_seed

from lib.evaluation import scoring
from lib.experiment import parameters
from lib.masking import frozen_masks
from lib.masking.examples import CONTEXT, INFILL, INFILL_SPECIAL, loss_weights
from lib.models import initialization, packing
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
def fill_up(monkeypatch):
    monkeypatch.setattr(packing, "MULTIPLE", 128)  # as for a GPU


def losses(model, tokens, values):
    with packing.packed_attention(model):
        return packing.token_losses(model, packing.to_tensors(packing.pack_examples(tokens, values)))


def gradient(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def flat_loss(model, tokens, roles):
    with packing.packed_attention(model):
        return packing.chunked_loss(model, packing.to_tensors(packing.pack_examples(tokens, loss_weights(roles))))


def one_by_one(model, tokens):
    """Cross-entropy of all tokens but each example's first, every example alone in its batch."""
    alone = [cross_entropy(model(torch.tensor(one[None].astype(int))).logits[0, :-1],
                           torch.tensor(one[1:].astype(int)), reduction="none") for one in tokens]  # fmt: skip
    return torch.cat(alone)


@pytest.fixture(params=["_per_sequence_sdpa", "_padded_sdpa"])
def way(request, monkeypatch):
    """Attention of a CPU, and of a GPU in numbers of 32 bits."""
    monkeypatch.setattr(packing, "_per_sequence_sdpa", getattr(packing, request.param))


def test_a_stream_gives_the_losses_of_its_examples_alone(model, step, way):
    tokens, _ = step
    all_count = [np.ones(len(one), np.float32) for one in tokens]
    found, expected = losses(model, tokens, all_count), one_by_one(model, tokens)
    assert (found[: len(expected)] - expected).abs().max() < 1e-5


def test_fewer_key_heads_and_rotary_positions_give_the_same_too(step, way):
    torch.manual_seed(1)
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=520, hidden_size=32, intermediate_size=64, **heads)).eval()
    tokens = step[0][:6]
    expected = one_by_one(llama, tokens)
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
    ours = gradient(model, flat_loss(model, tokens, roles))
    assert (ours - theirs).abs().max() < 1e-5 * max(1, theirs.abs().max().item())


def test_where_examples_stand_changes_neither_loss_nor_gradient(model, step):
    tokens, weights = step[0], loss_weights(step[1])
    order = np.random.default_rng(0).permutation(24)

    def loss(places):
        batch = packing.to_tensors(packing.pack_examples([tokens[i] for i in places], [weights[i] for i in places]))
        with packing.packed_attention(model):
            return packing.weighted_loss(model, batch)

    as_drawn, mixed = (gradient(model, loss(places)) for places in (range(24), order))
    assert (as_drawn - mixed).abs().max() < 1e-5 * as_drawn.abs().max()


def test_filling_up_changes_nothing(model, step, monkeypatch):
    tokens, roles = step
    filled = packing.pack_examples(tokens, loss_weights(roles))
    found = gradient(model, flat_loss(model, tokens, roles))
    assert filled["input_ids"].shape[1] % packing.MULTIPLE == 0 and len(filled["where"]) % packing.MULTIPLE == 0
    for multiple in (1, 1024):
        monkeypatch.setattr(packing, "MULTIPLE", multiple)
        again = gradient(model, flat_loss(model, tokens, roles))
        assert (found - again).abs().max() < 1e-5 * found.abs().max()


def test_no_piece_is_longer_than_attention_is_told(steps):
    """What lies beyond `longest` would not be computed on a GPU and leave any numbers in memory as they are."""
    for step in map(steps.__getitem__, range(len(steps))):
        pieces = np.diff(step["bounds"])
        assert pieces.min() > 0 and pieces.max() <= step["longest"] and step["bounds"][-1] == step["input_ids"].size
        assert step["position_ids"].max() < pieces.max()


def test_attention_leaks_between_examples_in_transformers_not_here(model, step):
    """Why there is an attention of our own: two of the three ways to hand a stream to transformers are wrong."""
    tokens = step[0][:4]
    batch = packing.to_tensors(packing.pack_examples(tokens, [np.ones(len(one), np.float32) for one in tokens]))
    places = {"input_ids": batch["input_ids"], "position_ids": batch["position_ids"]}
    at, targets = batch["where"], batch["targets"]

    def off(**how):
        logits = model(**places, **how).logits[0, at]
        found = cross_entropy(logits, targets, reduction="none")[: len(expected)]
        return (found - expected).abs().max().item()

    expected = one_by_one(model, tokens)
    assert off(use_cache=True) > 1e-2
    assert off(use_cache=False, attention_mask=torch.ones_like(batch["input_ids"])) > 1e-2
    with packing.packed_attention(model):
        bounds = {"bounds": batch["bounds"], "longest": batch["longest"]}
        assert off(use_cache=True, **bounds) < 1e-5 and off(use_cache=False, **bounds) < 1e-5


def test_without_bounds_the_flat_attention_refuses(model, step):
    with packing.packed_attention(model), pytest.raises(ValueError, match="bounds of examples"):
        model(torch.tensor(step[0][0][None].astype(int)))
    model(torch.tensor(step[0][0][None].astype(int)))  # and outside, the model is what it was


def test_one_compiled_graph_gives_the_plain_loss_at_every_length(tokenizer, settings, steps, monkeypatch):
    monkeypatch.setattr(
        packing, "_per_sequence_sdpa", packing._padded_sdpa
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


@pytest.mark.parametrize("window", [None, 32])
def test_varlen_attn_takes_what_it_is_handed(tokenizer, step, monkeypatch, window):
    """No GPU here: shapes and numbers of 16 bits only, forth and back, as torch declares them for its kernel."""
    seen = []

    def spy(query, key, value, *bounds, **options):
        seen.append((query.dtype, options))
        return varlen_attn(query, key, value, *bounds, **options)

    def in_window(*tensors, **options):
        return packing._varlen(*tensors[:5], window, **options)

    monkeypatch.setattr(packing, "varlen_attn", spy)
    monkeypatch.setattr(packing, "_per_sequence_sdpa", in_window)
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_layer=2, n_head=2, n_embd=32)).bfloat16()
    with packing.packed_attention(model):
        packing.weighted_loss(
            model, packing.to_tensors(packing.pack_examples(step[0], loss_weights(step[1])), "meta")
        ).backward()
    expected = (-1, 0) if window is None else (window - 1, 0)
    assert seen == [(torch.bfloat16, {"window_size": expected})] * 2
    assert all(p.grad is not None for p in model.parameters())


@pytest.fixture(scope="module")
def valid(index, drawing, first_special):
    held_out = index.iloc[48:]
    return scoring.frozen_examples(
        held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1), first_special
    )


def test_a_loss_that_is_no_number_stops_before_anything_is_saved(
    steps, valid, settings, tokenizer, tmp_path, monkeypatch
):
    """Also where only the log looks at it, as on a GPU."""
    set_seed(0)
    for words, finite in [("at step 0", torch.isfinite), ("at or before step 2", lambda loss: True)]:
        model = initialization.initial_model(settings, tokenizer, 256)
        model.transformer.ln_f.bias.data[0] = torch.nan
        with monkeypatch.context() as patch, pytest.raises(FloatingPointError, match=f"{words}. Nothing is saved"):
            patch.setattr(torch, "isfinite", finite)
            loop.train(model, steps, valid, settings, 0, tmp_path, "test", {})
        assert not list(tmp_path.glob("checkpoint-*"))


def test_the_loss_from_a_few_rows_at_a_time_is_the_plain_one(model, step, monkeypatch):
    """To the gradient, and with a scale, as accumulation over batches gives one."""
    monkeypatch.setattr(packing, "ROWS", 50)
    batch = packing.to_tensors(packing.pack_examples(step[0], loss_weights(step[1])))
    with packing.packed_attention(model):
        plain = packing.weighted_loss(model, batch)
        found = packing.chunked_loss(model, batch)
    assert found.item() == pytest.approx(plain.item(), rel=1e-6)
    found, plain = gradient(model, found / 3), gradient(model, plain / 3)
    assert (found - plain).abs().max() < 1e-6 * plain.abs().max()
