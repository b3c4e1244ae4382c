"""Whether one GPU computes what a CPU computes: packing, compiling, resuming, scoring, infilling, too little memory.

Each check returns what it found, what is allowed, and whether it holds; nats a token unless named otherwise.
"""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bench.speed.gpu_arms import network, settings, steps_of
from lib.evaluation import scoring
from lib.infilling import decoding
from lib.models import packing
from lib.training import loop

ROOT = Path(__file__).resolve().parents[2]
FORK = """
import os, sys, torch
from lib.models import packing
pid = os.fork()
if pid == 0:
    print(torch.ones(3, device=sys.argv[1]).sum().item(), flush=True)
    os._exit(0)
sys.exit(os.waitpid(pid, 0)[1])
"""


def result(found, allowed, **more):
    return {"found": found, "allowed": allowed, "holds": bool(np.isfinite(found) and found <= allowed)} | more


def forked(world):
    """A process forked from one that has imported torch can use the device, as the study's notebooks do."""
    words = [sys.executable, "-c", FORK, world.device.type]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    return result(float(ended.returncode != 0 or ended.stdout.split() != ["3.0"]), 0, said=ended.stderr[-500:])


def granted(world):
    """lib.workflow.gpus gives a job one GPU and names it."""
    if not world.cuda:
        return result(0.0, 0)
    take = "import os; from lib.workflow import gpus; held = gpus.acquire_gpus(1); "
    take += "print(os.environ['CUDA_VISIBLE_DEVICES'])"
    words = [sys.executable, "-c", take]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    return result(float(ended.stdout.split() != ["0"]), 0, said=(ended.stdout + ended.stderr)[-500:])


def examples(world, n=24):
    return steps_of(world, settings("efcamdat", "general", world, max_examples=n)).examples(0, n)


def alone(model, tokens):
    """Losses of all tokens but the first of each example, every example alone and without a packed stream."""
    found = []
    for one in tokens:
        ids = torch.as_tensor(one.astype(np.int64), device=model.device)
        logits = model(ids[None], use_cache=False).logits[0, :-1].float()
        found.append(cross_entropy(logits, ids[1:], reduction="none"))
    return torch.cat(found)


def packed(world, bf16):
    """Losses of a packed stream against those of its examples alone, with transformers' eager attention."""
    tokens, _ = examples(world)
    model = network(world, settings("efcamdat", "general", world), "eager").eval()
    batch = packing.to_tensors(
        packing.pack_examples(tokens, [np.ones(len(one), np.float32) for one in tokens]), world.device
    )
    with torch.inference_mode():
        expected = alone(model, tokens)
        with packing.packed_attention(model), torch.autocast("cuda", torch.bfloat16, enabled=bf16 and world.cuda):
            found = packing.token_losses(model, batch)[: len(expected)]
    off = (found - expected).abs()
    # eight bits of mantissa leave some hundredths of a nat; a token of another example would leave whole nats
    return result(float(off.max()), 0.2 if bf16 else 1e-3, mean=float(off.mean()))


def compiled(world):
    """The compiled loss and its gradient against the plain ones: relative norm of the difference."""
    if not world.cuda:
        return result(0.0, 0.02)
    item, found = steps_of(world, small(world))[0], []
    model, batch = network(world, small(world), "sdpa").eval(), packing.to_tensors(item, world.device)
    for loss in [packing.weighted_loss, torch.compile(packing.weighted_loss, dynamic=True)]:
        with packing.packed_attention(model):
            gradients = torch.autograd.grad(loss(model, batch), [*model.parameters()])
        found.append(torch.cat([one.flatten() for one in gradients]))
    return result(float((found[0] - found[1]).norm() / found[0].norm()), 0.02)


class Stop(Exception):
    pass


def small(world):
    """Settings of a training that takes seconds."""
    if world.tiny:
        size = {"max_examples": 96, "eval_every": 24}
    else:
        size = {"max_examples": 960, "eval_every": 240, "n_layer": 2, "n_head": 4, "n_embd": 256}
    return settings("efcamdat", "general", world, examples_per_step=24, snapshot_at={}, **size)


def trained(world, folder, stop_at=None):
    """Weights and curve of a small training by the project's Trainer, cut off once after step stop_at and resumed."""
    own, on_step_end = small(world), loop.Progress.on_step_end

    def stopping(self, args, state, control, **others):
        on_step_end(self, args, state, control, **others)
        if state.global_step == stop_at:
            raise Stop

    def train():
        model = network(world, own, "sdpa")
        curve, how = loop.train(model, steps_of(world, own), world.valid["A1"], own, 0, folder, "check", {})
        return torch.cat([p.detach().flatten().float().cpu() for p in model.parameters()]), curve, how

    if stop_at:
        loop.Progress.on_step_end = stopping
        try:
            with contextlib.suppress(Stop):
                train()
        finally:
            loop.Progress.on_step_end = on_step_end
    return train()


def resumed(world):
    """A training cut off and resumed against one that was not: relative norm of the difference of final weights.

    Two trainings that were not cut off differ too, by `floor`: a GPU adds the parts of a sum in any order.
    """
    with tempfile.TemporaryDirectory() as place:
        first, curve, _ = trained(world, Path(place) / "first")
        second, _, _ = trained(world, Path(place) / "second")
        again, other, how = trained(world, Path(place) / "cut", stop_at=25 if not world.tiny else 3)
    begun = torch.cat([p.detach().flatten().float().cpu() for p in network(world, small(world), "sdpa").parameters()])
    moved = (first - begun).norm()
    floor, found = float((second - first).norm() / moved), float((again - first).norm() / moved)
    losses = np.abs(curve["valid_loss"].to_numpy() - other["valid_loss"].to_numpy())
    return result(found, max(3 * floor, 1e-5), floor=floor, resumed_at=how["resumed_at"],
                  valid_loss_off=float(losses.max()))  # fmt: skip


def out_of_memory(world):
    """A training with too little memory cuts its steps and ends where one with enough memory ends."""
    if not world.cuda:
        return result(0.0, 1e-3)
    with tempfile.TemporaryDirectory() as place:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        first, curve, _ = trained(world, Path(place) / "first")
        peak = torch.cuda.max_memory_allocated() - before
        torch.cuda.empty_cache()
        allowed = torch.cuda.memory_allocated() + 0.6 * peak
        torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.get_device_properties(0).total_memory)
        try:
            second, other, how = trained(world, Path(place) / "second")
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
    off = float(np.abs(curve["valid_loss"].iloc[-1] - other["valid_loss"].iloc[-1]))
    return result(off if how["micro_batches"] > 1 else np.inf, 0.02, micro_batches=how["micro_batches"],
                  peak_gib=round(peak / 2**30, 3))  # fmt: skip


def scored(world):
    """Scores of the same texts by the same model on the device and on the CPU, per token of a text."""
    n = 8 if world.tiny else 24
    keys, tokens, roles = (part[:n] for part in world.valid["B1"])
    model = network(world, settings("efcamdat", "general", world), "sdpa").eval()
    here = scoring.score(model, keys, tokens, roles)
    there = scoring.score(model.cpu(), keys, tokens, roles)
    off = np.abs(here["nll_full"] - there["nll_full"]) / (here["n_tokens"] + here["n_end"])
    context = np.abs(here["nll_context"] - there["nll_context"]) / here["n_context"].clip(lower=1)
    return result(float(max(off.max(), context.max())), 1e-3)


def filled(world):
    """Most probable and sampled fillings on the device and on the CPU: share of prompts whose fillings differ."""
    keys, tokens, roles = (part[:12] for part in world.valid["A1"])
    prompts = [decoding.build_prompt(token, role) for token, role in zip(tokens, roles)]
    blanks = [decoding.count_blanks(role) for role in roles]
    end = world.vocabulary + 1
    spelling = SimpleNamespace(convert_tokens_to_ids=lambda _: end, decode=lambda ids: " ".join(map(str, ids)))
    model = network(world, settings("efcamdat", "general", world), "sdpa").eval()
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.1)  # so that no two tokens are nearly equal
    found = []
    for device in [world.device, torch.device("cpu")]:
        model.to(device)
        greedy = decoding.sample_infills(model, spelling, prompts, blanks, max_new_tokens=16)
        drawn = decoding.sample_infills(model, spelling, prompts, blanks, top_p=0.9, seed=1, max_new_tokens=16)
        found.append([*greedy[0], *drawn[0]])
    unlike = np.mean([one != other for one, other in zip(*found)])
    return result(float(unlike), 0.1)


QUICK = {
    "one GPU is granted": granted,
    "packed equal to alone, float32": lambda world: packed(world, False),
    "packed equal to alone, bfloat16": lambda world: packed(world, True),
    "evaluation equal to the CPU's": scored,
    "fillings equal to the CPU's": filled,
}
SLOW = {
    "cut off and resumed": resumed,
    "out of memory": out_of_memory,
    "compiled equal to plain": compiled,
    "forked process uses the device": forked,
}
CHECKS = QUICK | SLOW
