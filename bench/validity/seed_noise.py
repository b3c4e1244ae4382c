"""How far apart do training seeds leave a model? `.venv/bin/python bench/validity/seed_noise.py` after `make demo`.

Trains each level's model of the demo from random weights, and from one and the same general model, as all of the real
study start from one GPT-2; five seeds each. Writes the spread of ln perplexity on the level's valid texts to
bench/records/seed_noise.json. What decides in the study is this spread: bench/validity/simulation.py takes it as given.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoTokenizer, set_seed

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.design import LEVELS
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.masking import token_index
from lib.masking.examples import first_special_of
from lib.models import initialization
from lib.training import loop, trainer
from lib.training.dataset import Steps

SEEDS = range(5)
ARMS = {"random weights": "{}", "one general model": "{}_transfer"}  # what training starts from: parameter file


def perplexities(run, name, level, index, valid, tokenizer):
    """Perplexity on the level's valid texts, a seed each, of the demo's model `name`."""
    settings, found = parameters.load_file(f"params/demo/{name}.yaml"), []
    base = None if settings.init_from == "scratch" else str(run.model(settings.init_from, 0))
    special, drawing = first_special_of(tokenizer), parameters.load_file("params/demo/masks.yaml")
    train = index[(index["split"] == "train") & (index["level"] == level)]
    for seed in SEEDS:
        set_seed(seed)
        steps = Steps(train, drawing, settings, seed, special)
        model = initialization.initial_model(settings, tokenizer, drawing.max_length, base)
        with tempfile.TemporaryDirectory() as folder:
            loop.train(model, steps, valid, settings, seed, Path(folder), f"{name}, seed {seed}", {})
        found.append(round(trainer.perplexity(scoring.score(model, *valid)), 3))
    return found


def main():
    run = Experiment("demo", ".")
    tokenizer = AutoTokenizer.from_pretrained(run.tokenizer)
    texts = pd.read_parquet(run.texts, columns=["text_id", "level", "split"])
    index = token_index.read_index(run.index).merge(texts, on="text_id")
    frozen, record = pd.read_parquet(run.frozen_masks("valid")).query("mask_type == 'training_mix'"), {}
    for level in LEVELS:
        rows = index[(index["split"] == "valid") & (index["level"] == level)]
        own = frozen[frozen["text_id"].isin(rows["text_id"])]
        valid = scoring.frozen_examples(rows, own, first_special_of(tokenizer))
        for arm, name in ARMS.items():
            ppl = perplexities(run, name.format(level.lower()), level, index, valid, tokenizer)
            spread = round(float(np.log(ppl).std(ddof=1)), 4)
            record.setdefault(arm, {})[level] = {"perplexity": ppl, "sd of ln": spread}
            print(level, arm, ppl, spread, flush=True)
    for arm in record.values():
        arm["sd of ln, all levels"] = round(float(np.sqrt(np.mean([one["sd of ln"] ** 2 for one in arm.values()]))), 4)
    write_json(facts() | {"seeds": list(SEEDS), "arms": record}, "bench/records/seed_noise.json")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main()
