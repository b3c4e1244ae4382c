"""How fast one GPU trains the models of the study, against upstream's way of training on the same machine.

    python bench/speed/gpu.py check    does the GPU compute what a CPU computes? each check alone, with what was found
    python bench/speed/gpu.py          the checks; the arms in turns; what they learn; the hours of a study
    python bench/speed/gpu.py steps    what each optimisation gave, one switched on after the other
    python bench/speed/gpu.py plan     the eleven models of params/efcamdat_fast, one seed, really trained
    ... --tiny --device cpu      the same with tiny models in seconds: does it run?

Each ends within --minutes (9) and writes what it has after every part, to $OUT or bench/records/gpu_<command>.json.
Where there is no git, COMMIT says which commit it was. No network, tokenizer or base model is needed: models have
GPT-2's sizes and random weights, texts are made up, as long as EFCAMDAT's, and two of three tokens follow from the one
before. A part that fails is recorded with its error, and the others go on.
"""

import argparse
import contextlib
import copy
import itertools
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.record import facts
from bench.speed import gpu_checks
from bench.speed.gpu_arms import Arm, between, make_world, mark, network, settings, steps_of
from lib.design import LEVELS
from lib.evaluation import scoring
from lib.experiment.files import write_json
from lib.models import loading, packing
from lib.training import loop, trainer

FLOP = 0.752e9  # a token of GPT-2 124M, forth and back
NOMINAL = {"H200": 989.4, "H100 NVL": 835.5, "H100 PCIe": 756.5, "H100": 989.4, "A100": 311.9}  # bf16, dense, TFLOP/s
MODELS = ["general", "a1", "a2", "b1", "b2", "c1", *(f"{level.lower()}_transfer" for level in LEVELS)]
UP = {"layout": "padded", "bf16": False, "compiled": False, "fused": False, "profile": "efcamdat"}
ARMS = {
    "up_fp32": UP,
    "up_bf16": UP | {"bf16": True},
    "faithful": {"layout": "flat", "bf16": True, "compiled": True, "fused": True, "profile": "efcamdat"},
    "fast": {"layout": "flat", "bf16": True, "compiled": True, "fused": True, "profile": "efcamdat_fast"},
    "fast_not_compiled": {"layout": "flat", "bf16": True, "compiled": False, "fused": True, "profile": "efcamdat_fast"},
}
STEPS = {
    "upstream, float32": {},
    "bfloat16": {"bf16": True},
    "no padding, varlen attention": {"layout": "flat"},
    "compile": {"compiled": True},
    "fused AdamW": {"fused": True},
    "steps of 240 examples": {"profile": "efcamdat_fast"},
}
BEGAN = time.monotonic()


def say(*what):
    print(f"{time.monotonic() - BEGAN:6.1f} s ", *what, flush=True)


def at_a_time(world, arm, runs):
    """Several runs of one arm as a row of the record: medians over runs, least and most beside them."""
    per = {name: [run[name] / run["seconds"] for run in runs] for name in ["tokens", "examples", "waited"]}
    ms = np.concatenate([run["step_ms"] for run in runs])
    row = {f"{name}_per_s": spread(per[name]) for name in ["tokens", "examples"]}
    row |= {"step_ms_p50": round(float(np.median(ms)), 2), "step_ms_p95": round(float(np.percentile(ms, 95)), 2)}
    row |= {"waited_for_data": spread(per["waited"], 4), "peak_gib": round(max(run["peak_gib"] for run in runs), 2)}
    teraflops = row["tokens_per_s"]["median"] * FLOP / 1e12
    for name, rate in world.rates.items():
        row[f"mfu_{name}"] = round(teraflops / rate, 4) if rate else None
    return row | {"steps": len(ms), "examples_per_step": arm.settings.examples_per_step, "compiled": arm.compiled}


def spread(values, digits=1):
    names = {"median": np.median, "min": np.min, "max": np.max}
    return {name: round(float(of(values)), digits) for name, of in names.items()}


def matmul_rates(world):
    """bf16 TFLOP/s by the data sheet and of a real product of two matrices of 8192 x 8192 random numbers."""
    if not world.cuda:
        return {"nominal": None, "measured": None}
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        a @ b
    marks = [mark(world)]
    for _ in range(20):
        a @ b
        marks.append(mark(world))
    name = torch.cuda.get_device_name()
    nominal = next((rate for part, rate in NOMINAL.items() if part in name), None)
    return {"nominal": nominal, "measured": round(2 * 8192**3 / np.median(between(world, marks)) / 1e9, 1)}


class Record:
    """What is known so far, on disk after every part."""

    def __init__(self, asked, world):
        self.folder = Path(os.environ.get("OUT") or ROOT / ("runs" if asked.tiny else "bench/records"))
        self.path, self.until = self.folder / f"gpu_{asked.command}.json", BEGAN + 60 * asked.minutes
        self.now, self.done = "begin", threading.Event()
        machine = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if world.cuda else {"gpu": None}
        machine |= {package.__name__: package.__version__ for package in (torch, transformers, np)}
        self.all = about() | machine | {"complete": False, "tiny": asked.tiny, "errors": {}, "first_steps_seconds": {}}
        self.all |= {"bf16_tflops": world.rates, "mean_tokens": world.mean_tokens}
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        while not self.done.wait(5):
            say("...", self.now)

    def put(self, **parts):
        self.all |= parts | {"wall_seconds": round(time.monotonic() - BEGAN, 1)}
        write_json(self.all, self.path)

    def left(self):
        """Seconds until this command should have ended."""
        return self.until - time.monotonic()

    @contextlib.contextmanager
    def part(self, name):
        """A part that may fail: its error is recorded and the rest goes on."""
        self.now = name
        try:
            yield
        except Exception as error:
            self.all["errors"][name] = "".join(traceback.format_exception_only(error))[-600:]
            say(f"FAILED {name}:", traceback.format_exc()[-600:])
        self.put()


def about():
    try:
        found = facts()
        return found | {"commit": os.environ.get("COMMIT") or found["commit"]}
    except OSError as error:  # no git, or no /proc
        return {"commit": os.environ.get("COMMIT"), "reason": str(error), "command": " ".join(sys.argv)}


def arm_of(world, spec, model="general", **update):
    return Arm(world, settings(spec["profile"], model, world, **update), **spec)


def warm(world, record, name, spec):
    """A new arm after its first steps, or None if it fails; compiling falls into these."""
    arm = None
    with record.part(f"{name}: first steps"):
        began = time.monotonic()
        one = arm_of(world, spec)
        one.run(n_steps=2 if world.tiny else 12)
        arm = one
        record.all["first_steps_seconds"][name] = round(time.monotonic() - began, 1)
        say(f"{name}: first steps took {time.monotonic() - began:.1f} s")
    return arm


def rounds(world, record, specs, n_rounds):
    """Arms in turn, so that a slow moment of the machine hits all. Returns {name: row}, also put into the record."""
    arms = {name: warm(world, record, name, spec) for name, spec in specs.items()}
    runs, rows = {name: [] for name in specs}, {}
    for turn in range(n_rounds):
        if turn and record.left() < 180:
            break
        for name, arm in arms.items():
            with record.part(f"{name}: round {turn + 1}"):
                if arm:
                    runs[name].append(arm.run(world.seconds))
                    rows[name] = at_a_time(world, arm, runs[name])
                    say(name, rows[name]["tokens_per_s"], f"MFU {rows[name]['mfu_nominal']}")
                    record.put(arms=rows)
    return rows


# The commands


def check(world, record, checks=gpu_checks.CHECKS):
    found = record.all.get("checks", {})
    for name, one in checks.items():
        if record.left() < 15:
            break
        with record.part(name):
            began = time.monotonic()
            found[name] = one(world) | {"seconds": round(time.monotonic() - began, 1)}
            say(name, found[name])
            if not found[name]["holds"]:
                record.all["errors"][name] = f"found {found[name]['found']}, allowed {found[name]['allowed']}"
        record.put(checks=found)


def compare(world, record):
    check(world, record, gpu_checks.QUICK)
    rows = rounds(world, record, ARMS, world.rounds)
    world.compiles = "fast" in rows  # else what follows goes on without
    for row in rows.values():
        base = rows.get("up_fp32", row)["tokens_per_s"]["median"]
        row["times_up_fp32"] = round(row["tokens_per_s"]["median"] / base, 2)
        row["study_minutes_computed"] = study_minutes(world, row["tokens_per_s"]["median"])
    record.put(arms=rows, study="minutes of training of all models of params/efcamdat, one seed: computed from the "
               "rate, not measured; looks at valid texts and checkpoints come on top")  # fmt: skip
    base = arm_of(world, ARMS["fast"], learning_rate=6e-4)
    with record.part("quality"):
        quality(world, record, base, rows.get("faithful", {}).get("examples_per_s", {}).get("median", 1000))
    with record.part("evaluation"):
        record.put(evaluation=evaluation(world, base.model))
    check(world, record, gpu_checks.SLOW)


def study_minutes(world, rate):
    tokens = 0
    for file in sorted((ROOT / "params/efcamdat").glob("*.yaml")):
        if file.stem in MODELS:
            one = settings("efcamdat", file.stem, SimpleNamespace(tiny={}))
            tokens += one.max_examples * world.mean_tokens["all" if len(one.levels) > 1 else one.levels[0]]
    return round(tokens / rate / 60, 1)


def quality(world, record, base, examples_per_s):
    """Perplexity after as many examples by either recipe, from one base that learns all levels a little before."""
    seconds = max(5, min(record.left() - 60, 240) / 5)  # the base, three recipes, and what goes in between
    n = 48 if world.tiny else 480 + int(seconds * examples_per_s) // 480 * 480
    base.run(n_steps=n // base.settings.examples_per_step)
    begun = copy.deepcopy(base.model.state_dict())
    found = {"examples": n, "level": "B1", "seeds": 1, "base": perplexity(world, base, "B1"), "perplexity": {}}
    recipes = {"faithful": ("faithful", {}), "fast": ("fast", {}), "fast, 1.0e-4": ("fast", {"learning_rate": 1e-4})}
    for name, (arm, update) in recipes.items():
        with record.part(f"quality: {name}"):
            one = arm_of(world, ARMS[arm], "b1", **update).load(begun)
            one.run(n_steps=n // one.settings.examples_per_step)
            found["perplexity"][name] = perplexity(world, one, "B1")
            say(name, "perplexity", found["perplexity"][name])
        record.put(quality=found)
    ppl = found["perplexity"]
    found["fast_over_faithful"] = {name: round(ppl[name] / ppl["faithful"], 4) for name in ppl if name != "faithful"}
    found["fast_allowed"] = found["fast_over_faithful"]["fast"] <= 1.01
    record.put(quality=found)


def perplexity(world, arm, *levels):
    """On valid texts of the levels, in float32 whatever the recipe."""
    scores = [scoring.score(arm.model, *world.valid[level]) for level in levels]
    arm.model.train()
    return round(trainer.perplexity(pd.concat(scores)), 3)


def evaluation(world, model):
    """Tokens/s of scoring in float32, which is what the study does, and in bfloat16, and how far apart they are."""
    keys, tokens, roles = (list(itertools.chain.from_iterable(world.valid[level][part] for level in LEVELS))
                           if part else pd.concat([world.valid[level][0] for level in LEVELS], ignore_index=True)
                           for part in range(3))  # fmt: skip
    found, sums = {"texts": len(keys), "tokens": sum(map(len, tokens)), "gradient_off": gradient_off(world, model)}, {}
    ways = {"float32": scoring.score, "float32, reversed": reversed_score, "bfloat16": short_score}
    for name, way in ways.items():
        way(model.eval(), keys[:64], tokens[:64], roles[:64])
        began = time.perf_counter()
        sums[name] = way(model, keys, tokens, roles)["nll_text"].to_numpy()
        found[name] = {"tokens_per_s": round(found["tokens"] / (time.perf_counter() - began)),
                       "largest_difference_of_a_text": float(np.abs(sums[name] - sums["float32"]).max()),
                       "sum_over_first": float(sums[name].sum() / sums["float32"].sum())}  # fmt: skip
        say(name, found[name])
    return found


def gradient_off(world, model):
    """How far a step's gradient as a GPU finds it is from that in float32, example by example: relative norm.

    Some hundredths are bfloat16; more would say that the GPU's attention is not what the tests on a CPU saw.
    """
    item, found = steps_of(world, settings("efcamdat", "general", world, max_examples=24))[0], []
    for loss in [packing.weighted_loss, packing.chunked_loss]:
        with packing.packed_attention(model):
            gradients = torch.autograd.grad(
                loss(model.eval(), packing.to_tensors(item, world.device)), [*model.parameters()]
            )
        found.append(torch.cat([one.flatten() for one in gradients]))
    return float((found[0] - found[1]).norm() / found[1].norm())


def reversed_score(model, keys, tokens, roles):
    """The same in another order and other batches: must agree to 1e-4."""
    return scoring.score(model, keys[::-1], tokens[::-1], roles[::-1], batch_tokens=1500)[::-1]


def short_score(model, keys, tokens, roles):
    """The same in the arithmetic of training on a GPU."""
    with torch.autocast("cuda", torch.bfloat16, enabled=model.device.type == "cuda"):
        return scoring.score(model, keys, tokens, roles, batch_tokens=16_384 if model.device.type == "cuda" else 4096)


def steps(world, record):
    spec, specs = dict(UP), {}
    for name, change in STEPS.items():
        spec |= change
        specs[name] = dict(spec)
    rows = rounds(world, record, specs, min(2, world.rounds))
    rates = {name: row["tokens_per_s"]["median"] for name, row in rows.items()}
    for (before, rate), (name, other) in itertools.pairwise(rates.items()):
        rows[name]["gain"] = {"over": before, "times": round(other / rate, 3)}
    for profile in ["efcamdat", "efcamdat_fast"]:
        with record.part(f"inside the Trainer, {profile}"):
            rows[f"inside the Trainer, {profile}"] = in_trainer(world, profile)
        record.put(arms=rows)


def in_trainer(world, profile):
    """Step time of lib.training.loop.train itself, to hold against the loop above: what the Trainer costs."""
    n = 48 if world.tiny else 24 * 600 if profile == "efcamdat" else 240 * 100
    own = settings(profile, "general", world, max_examples=n, eval_every=n)
    marks, seen = [], loop.Progress.on_step_end

    def on_step_end(self, *args, **others):
        marks.append(time.perf_counter())
        return seen(self, *args, **others)

    loop.Progress.on_step_end = on_step_end
    try:
        with tempfile.TemporaryDirectory() as folder:
            train_steps, model = steps_of(world, own), network(world, own, "sdpa")
            loop.train(model, train_steps, world.valid["A1"], own, 0, Path(folder) / "checkpoints", profile, {})
    finally:
        loop.Progress.on_step_end = seen
    ms = 1e3 * np.diff(marks)[len(marks) // 4 :]  # the first quarter compiles
    tokens = train_steps.tokens(n) / len(train_steps)
    return {"step_ms_p50": round(float(np.median(ms)), 2), "step_ms_p95": round(float(np.percentile(ms, 95)), 2),
            "tokens_per_s": round(1e3 * tokens / float(ms.mean()), 1)}  # fmt: skip


def plan(world, record):
    """Every model of the study in order; those the time does not reach are computed from the rate, and say so."""
    weights, rows, spent = {}, {}, [0, 0.0]
    world.compiles = warm(world, record, "fast", ARMS["fast"]) is not None
    for name in MODELS:
        with record.part(name):
            if record.left() > 15:
                rows[name] = whole_training(world, record, name, weights, spent)
            elif spent[1]:
                own = settings("efcamdat_fast", name, world)
                tokens = own.max_examples * world.mean_tokens["all" if len(own.levels) > 1 else own.levels[0]]
                rows[name] = {"computed_not_measured": True, "minutes": round(tokens * spent[1] / spent[0] / 60, 2)}
            say(name, rows.get(name))
        record.put(models=rows, trained=sum("perplexity" in row for row in rows.values()))
    record.put(minutes=round(sum(row["minutes"] for row in rows.values()), 2))


def whole_training(world, record, name, weights, spent):
    began = time.monotonic()
    arm = arm_of(world, ARMS["fast"], name)
    base = arm.settings.init_from
    if base in weights:
        arm.load(weights[base])
    prepared, every = time.monotonic() - began, max(1, 4 * arm.settings.eval_every // arm.settings.examples_per_step)
    level, looks, seconds, tokens = arm.settings.levels[0], [], 0.0, 0
    while arm.at < len(arm.steps) and record.left() > 10:
        run = arm.run(n_steps=min(every, len(arm.steps) - arm.at))
        seconds, tokens = seconds + run["seconds"], tokens + run["tokens"]
        looks.append([arm.seen(0, arm.at)[1], perplexity(world, arm, level)])
        say(name, looks[-1], f"{tokens / seconds:,.0f} tokens/s")
    spent[0], spent[1] = spent[0] + tokens, spent[1] + time.monotonic() - began
    if name == "general":
        weights[name] = copy.deepcopy(arm.model.state_dict())
    row = {"from": base if base in weights else "random weights", "examples": looks[-1][0], "tokens": tokens}
    row |= {"cut_off": arm.at < len(arm.steps), "perplexity": {one: perplexity(world, arm, one) for one in LEVELS}}
    row |= {"looks": looks, "prepare_seconds": round(prepared, 1), "train_seconds": round(seconds, 1)}
    return row | {"minutes": round((time.monotonic() - began) / 60, 3), "tokens_per_s": round(tokens / seconds)}


def main(arguments=None):
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("command", nargs="?", choices=["check", "compare", "steps", "plan"], default="compare")
    known.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    known.add_argument("--tiny", action="store_true", help="tiny models and corpus: does it run?")
    known.add_argument("--minutes", type=float, default=9.0, help="after which the rest is left out")
    known.add_argument("--seconds", type=float, default=8, help="of each arm in a round")
    known.add_argument("--rounds", type=int, default=3)
    asked = known.parse_args(arguments)
    say("making texts")
    world = make_world(asked.tiny, asked.device)
    world.seconds, world.rounds = (0.1, 1) if asked.tiny else (asked.seconds, asked.rounds)
    world.rates = matmul_rates(world)
    say("tokens an example", world.mean_tokens, "bf16 TFLOP/s", world.rates)
    record = Record(asked, world)
    with record.part(asked.command):
        {"check": check, "compare": compare, "steps": steps, "plan": plan}[asked.command](world, record)
    record.done.set()
    record.put(complete=not record.all["errors"])
    say("written:", record.path)
    return record.all


if __name__ == "__main__":
    loading.silence_transformers()
    sys.exit(bool(main()["errors"]))
