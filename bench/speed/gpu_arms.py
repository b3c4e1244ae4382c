"""Ways of training, upstream's and ours, as arms that can be run in turns for some seconds each."""

import functools
import itertools
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import yaml
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import GPT2Config, GPT2LMHeadModel

from bench.made_up import corpus
from lib.design import LEVELS
from lib.evaluation import scoring
from lib.masking import frozen_masks
from lib.masking.examples import CONTEXT, INFILL, INFILL_SPECIAL, PAD
from lib.models import packing
from lib.training.dataset import Steps

ROOT = Path(__file__).resolve().parents[2]
PADDED = 256  # tokens of upstream's rows


def settings(profile, model, world, **update):
    """Parameters from params/<profile>/, read without the package that checks them, which a GPU box may lack."""
    with open(ROOT / f"params/{profile}/{model}.yaml", encoding="utf-8") as file:
        found = {"snapshot_at": {}, "devices": 1} | yaml.safe_load(file) | world.tiny | update
    if world.tiny and found.get("examples_per_step", 0) > 24:
        found["examples_per_step"] = 24  # the mask that stands in for varlen_attn grows with the square
    return SimpleNamespace(**found)


def make_world(tiny, device):
    """What all arms share: texts, valid masks, sizes, device."""
    vocabulary = 250 if tiny else 50_257
    world = SimpleNamespace(device=torch.device(device), vocabulary=vocabulary, cuda=device == "cuda", tiny={})
    world.compiles = True  # until it fails
    world.drawing = settings("efcamdat", "masks", world)
    if tiny:
        world.tiny = {"n_layer": 1, "n_head": 2, "n_embd": 16, "max_examples": 48, "eval_every": 24}
    world.index = corpus(200, vocabulary, 4) if tiny else corpus(60_000, vocabulary)
    valid, world.valid = world.index[world.index["split"] == "valid"], {}
    for level, texts in valid.groupby("level"):
        masks = frozen_masks.draw_frozen(texts, world.drawing, "training_mix", 1)
        world.valid[level] = scoring.frozen_examples(texts, masks, vocabulary)
    names = dict(zip(LEVELS, map(str.lower, LEVELS))) | {"all": "general"}
    asked = {
        level: settings("efcamdat", name, world, max_examples=48 if tiny else 2400) for level, name in names.items()
    }
    made = {level: steps_of(world, one) for level, one in asked.items()}
    made["all"].examples(0, 8)  # compiled here once, rather than by each process that assembles steps
    world.mean_tokens = {level: float(own.lengths.mean().round(1)) for level, own in made.items()}
    return world


def steps_of(world, settings):
    """The project's own `Steps` on the made-up texts of the levels that settings name."""
    own = world.index["level"].isin(settings.levels) & (world.index["split"] == "train")
    return Steps(world.index[own], world.drawing, settings, 0, world.vocabulary)


class Padded:
    """Upstream's batches: 8 examples a batch, each padded to, and cut at, 256 tokens."""

    def __init__(self, steps):
        self.steps = steps

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, step):
        size = self.steps.settings.examples_per_step
        both = np.zeros((2, size, PADDED), np.int64)
        for row, pair in enumerate(zip(*self.steps.examples(step * size, (step + 1) * size))):
            for part, one in zip(both, pair):
                part[row, : len(one)] = one[:PADDED]
        return dict(zip(["input_ids", "roles"], both.reshape(2, -1, 8, PADDED)))


def upstream_loss(model, ids, roles):
    """Mean over answers plus mean over context of one padded batch, the output layer at every place."""
    logits = model(ids, attention_mask=(roles != PAD).long(), use_cache=False).logits[:, :-1].flatten(0, 1)
    wanted = [(roles == INFILL) | (roles == INFILL_SPECIAL), roles == CONTEXT]
    labels = [torch.where(one, ids, -1)[:, 1:].flatten() for one in wanted]
    return sum(cross_entropy(logits.float(), label, ignore_index=-1) for label in labels)


class Arm:
    """One way of training: a model, its optimiser and its data; `run` goes on from where it stood."""

    def __init__(self, world, settings, layout, bf16, compiled, fused, **_):
        self.world, self.settings, self.layout, self.bf16 = world, settings, layout, bf16
        self.steps, self.at, self.wasted = steps_of(world, settings), 0, 0.0
        self.model = network(world, settings, "eager" if layout == "padded" else "sdpa").train()
        fused = {"fused": True} if fused else {}
        rate = settings.learning_rate
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=rate, eps=1e-8, weight_decay=0.0, **fused)
        self.compiled = compiled and world.compiles
        self.loss = compiled_loss(world.cuda) if self.compiled else packing.weighted_loss
        self.batches = batches(Padded(self.steps) if layout == "padded" else self.steps, world.cuda)

    def _losses(self, batch):
        if self.layout == "padded":
            for ids, roles in zip(batch["input_ids"], batch["roles"]):
                yield upstream_loss(self.model, ids, roles) / len(batch["roles"])
        else:
            with packing.packed_attention(self.model):
                yield self.loss(self.model, batch)

    def step(self):
        began = time.perf_counter()
        batch = next(self.batches)
        self.wasted += time.perf_counter() - began
        device = self.world.device
        batch = {name: x if isinstance(x, int) else x.to(device, non_blocking=True) for name, x in batch.items()}
        losses = self._losses(batch)
        for _ in range(len(batch["roles"]) if self.layout == "padded" else 1):
            own = self.layout == "flat"  # it says itself where numbers are short
            with torch.autocast("cuda", torch.bfloat16, enabled=self.bf16 and self.world.cuda and not own):
                loss = next(losses)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.at += 1

    def run(self, seconds=None, n_steps=None):
        """Train for seconds or n_steps; what that came to."""
        until = np.inf if seconds is None else time.perf_counter() + seconds
        last = np.inf if n_steps is None else self.at + n_steps
        before = fresh_peak() if self.world.cuda else 0
        first, self.wasted, marks = self.at, 0.0, [mark(self.world)]
        while time.perf_counter() < until and self.at < last:
            self.step()
            marks.append(mark(self.world))
        step_ms = between(self.world, marks)
        tokens, n = self.seen(first, self.at)
        peak = torch.cuda.max_memory_allocated() - before + 12 * self.n_parameters if self.world.cuda else 0
        return {"seconds": sum(step_ms) / 1e3, "tokens": tokens, "examples": n, "step_ms": step_ms,
                "waited": self.wasted, "peak_gib": peak / 2**30}  # fmt: skip

    @property
    def n_parameters(self):
        return sum(p.numel() for p in self.model.parameters())

    def seen(self, first, last):
        """Tokens (those that reach the model) and examples of steps first..last, begun anew at the end."""
        size, tokens, n = self.settings.examples_per_step, 0, 0
        for step in (step % len(self.steps) for step in range(first, last)):
            own = self.steps.lengths[step * size : (step + 1) * size]
            tokens, n = tokens + int(own.clip(max=PADDED if self.layout == "padded" else None).sum()), n + len(own)
        return tokens, n

    def load(self, state):
        self.model.load_state_dict(state)
        return self


def batches(data, cuda):
    """The items of data again and again, assembled behind the scenes where there is a GPU to wait for them."""
    behind = {"num_workers": packing.WORKERS, "prefetch_factor": 8, "pin_memory": True} if cuda else {}
    while True:
        yield from DataLoader(data, batch_size=None, collate_fn=packing.to_tensors, **behind)


def network(world, settings, attention):
    torch.manual_seed(0)
    sizes = {name: getattr(settings, name) for name in ["n_layer", "n_head", "n_embd"]}
    dropouts = dict.fromkeys(["resid_pdrop", "embd_pdrop", "attn_pdrop"], settings.dropout)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "n_positions": world.drawing.max_length}
    config = GPT2Config(vocab_size=world.vocabulary + 7, attn_implementation=attention, **sizes, **dropouts, **ends)
    return GPT2LMHeadModel(config).to(world.device)


@functools.cache
def compiled_loss(cuda):
    return torch.compile(packing.weighted_loss, dynamic=True, backend="inductor" if cuda else "eager")


def mark(world):
    if not world.cuda:
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def fresh_peak():
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def between(world, marks):
    """Milliseconds from mark to mark."""
    if not world.cuda:
        return [1e3 * (b - a) for a, b in itertools.pairwise(marks)]
    torch.cuda.synchronize()
    return [a.elapsed_time(b) for a, b in itertools.pairwise(marks)]
