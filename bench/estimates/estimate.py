"""ESTIMATE, not a measurement: every pass of EFCAMDAT through eleven GPT-2 models on 1, 4 and 8 H200.

    .venv/bin/python bench/estimates/estimate.py      # writes bench/records/estimate.json

All 16 masks of each training text (80 % of 723,282) once through the general model, its level's own model and its
level's transfer model. No H200 has been measured here: REFERENCES are other people's figures and data sheets, MEASURED
are this project's records of a CPU machine. What neither knows is left out, and named in the record.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.record import facts
from lib.corpus import efcamdat
from lib.experiment.files import write_json
from lib.masking import frozen_masks
from lib.workflow import estimates, plan

CPU = json.loads((ROOT / "bench/records/cpu.json").read_text())
SIZE = json.loads((ROOT / "bench/records/size.json").read_text())
REFERENCES = {
    "training, tokens/s on one H100, GPT-2 124M (llm.c)": 475_000,
    "bfloat16 products, TFLOP/s, H100 and H200 (data sheet)": 989,
    "float32 products, TFLOP/s, H100 and H200 (data sheet)": 67,
    "between two GPUs, GB/s in each direction (NVLink 4, data sheet)": 450,
    "share of the last two that is reached (assumed)": 0.5,
}
MEASURED = {
    "01, s of CPU": SIZE["csv"]["cpu_seconds"],
    "02, s, two cores": CPU["prepared"]["seconds"],
    "examples drawn and aligned a second, one core": CPU["later_pass"]["examples_per_second"],
}
LEFT_OUT = [
    "05, 06 and 07 at this size",
    "starts of jobs, waits in a queue",
    "early stopping, which ends sooner",
    "a step's launches on the GPU: with 24 examples a step they may well take longer than its products",
]
PARAMETERS, SEEDS, MASKS, TRAINED = 124.4e6, 3, 16, 0.8
SETS, TESTED, LOOKS = 9, 0.1, 50  # masks: 8 of a test text, 1 of a valid one; share of texts in each; looks
LEVELS = list(efcamdat.TEXTS)


def tokens_by_level():
    """Tokens of all masks of each level's training texts."""
    return {level: TRAINED * MASKS * n * estimates.TOKENS * efcamdat.CHARACTERS[level]
            for level, n in efcamdat.TEXTS.items()}  # fmt: skip


def hours():
    """{job: (hours on one GPU with all seeds, the job it waits for)}."""
    rate, *_, share = REFERENCES.values()
    in_float32 = 2 * PARAMETERS / (REFERENCES["float32 products, TFLOP/s, H100 and H200 (data sheet)"] * 1e12 * share)
    tokens = tokens_by_level()
    all_texts = sum(tokens.values()) / TRAINED / MASKS
    looked = LOOKS * frozen_masks.MAX_VALIDATION_TEXTS * all_texts / sum(efcamdat.TEXTS.values())
    jobs = {"general": (sum(tokens.values()), None)}
    jobs |= {level: (tokens[level], None) for level in LEVELS}
    jobs |= {f"{level}, transfer": (tokens[level], "general") for level in LEVELS}
    times = {name: (SEEDS * (n / rate + looked * in_float32) / 3600, base) for name, (n, base) in jobs.items()}
    score = SEEDS * TESTED * SETS * all_texts * in_float32 / 3600
    return times | {f"{name}, evaluated": (score, name) for name in jobs}


def of_eight(examples_a_step, n=8):
    """Seconds of a step of one model on one and on n GPUs: products shared, then every gradient added up (a ring)."""
    rate, _, _, link, share = REFERENCES.values()
    alone = examples_a_step * 81 / rate
    return alone, alone / n + 2 * (n - 1) / n * 4 * PARAMETERS / (link * 1e9 * share)


def estimate():
    jobs = hours()
    done = {n: max(plan.schedule(jobs, n).values()) for n in [1, 4, 8]}
    training = sum(one for name, (one, _) in jobs.items() if "evaluated" not in name)
    chain = max(plan.schedule(jobs, len(jobs)).values())
    prepared = (MEASURED["01, s of CPU"] + MEASURED["02, s, two cores"]) / 3600
    eaten = REFERENCES["training, tokens/s on one H100, GPT-2 124M (llm.c)"] / 81
    found = {f"hours on {n} H200, one model on each": round(one + prepared, 1) for n, one in done.items()}
    found |= {"tokens in training, 10^9, all seeds": round(3 * SEEDS * sum(tokens_by_level().values()) / 1e9, 2)}
    found |= {"GPU hours, training": round(training, 1)}
    found |= {"GPU hours, evaluation in float32": round(sum(one for one, _ in jobs.values()) - training, 1)}
    found |= {"hours before the first step, two cores": round(prepared, 2)}
    found |= {"hours, longest chain: general, then the longest transfer model": round(chain, 1)}
    found |= {"cores that draw and align for eight GPUs": round(8 * eaten / list(MEASURED.values())[-1], 2)}
    for size in [24, 240]:
        alone, shared = of_eight(size)
        found[f"times faster with devices: 8, steps of {size} examples"] = round(alone / shared, 1)
    return found


if __name__ == "__main__":
    found = estimate()
    for name, value in found.items():
        print(f"{value:8}  {name}")
    whole = facts() | {"kind": "estimate on paper", "estimate": found, "references": REFERENCES}
    whole |= {"measured": MEASURED, "left out": LEFT_OUT}
    whole |= {"hours by job": {name: round(one, 2) for name, (one, _) in hours().items()}}
    write_json(whole, ROOT / "bench/records/estimate.json")
