"""How a small model's first weights decide what it learns: bench/choices/first_weights.py, after `make demo`.

Trains the general model of the demo from four kinds of first weights, three seeds each, on the same masks in one run;
writes the valid perplexities to bench/records/first_weights.json.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoTokenizer, set_seed

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.folders import Experiment
from lib.masking import token_index
from lib.masking.examples import first_special_of
from lib.models import initialization
from lib.training import loop, trainer
from lib.training.dataset import Steps

NARROW = 1 / np.sqrt(96)
ARMS = {  # spread of token embeddings, of position embeddings, of the matrices in the layer
    "GPT-2's own, 0.02 for all": (0.02, 0.02, 0.02),
    "0.057 for all": (0.0566, 0.0566, 0.0566),
    "0.102 for all": (NARROW, NARROW, NARROW),
    "0.102 for tokens, 0.057 for the rest": (NARROW, 0.0566, 0.0566),
}
SEEDS = [0, 1, 2]


def first_weights(model, tokens, positions, matrices):
    for name, weights in model.named_parameters():
        if weights.ndim == 2:
            spread = tokens if "wte" in name else positions if "wpe" in name else matrices
            layers = (2 * model.config.n_layer) ** 0.5 if name.endswith("c_proj.weight") else 1  # GPT-2's own rule
            torch.nn.init.normal_(weights, std=spread / layers)


def main():
    run, settings = Experiment("demo", "."), parameters.load_file("params/demo/general.yaml")
    tokenizer = AutoTokenizer.from_pretrained(run.tokenizer)
    special = first_special_of(tokenizer)
    drawing = parameters.load_file("params/demo/masks.yaml")
    texts = pd.read_parquet(run.texts, columns=["text_id", "split"])
    index = token_index.read_index(run.index).merge(texts, on="text_id")
    frozen = pd.read_parquet(run.frozen_masks("valid")).query("mask_type == 'training_mix' and mask_set == 0")
    valid = scoring.frozen_examples(index[index["split"] == "valid"], frozen, special)
    arms = {name: {"perplexity": [], "seconds": []} for name in ARMS}
    for seed in SEEDS:  # arms in turn, so that a busy minute of the machine hits all of them
        for name, spreads in ARMS.items():
            set_seed(seed)
            steps = Steps(index[index["split"] == "train"], drawing, settings, seed, special)
            model = initialization.initial_model(settings, tokenizer, drawing.max_length)
            first_weights(model, *spreads)
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                loop.train(model, steps, valid, settings, seed, Path(folder), f"{name}, seed {seed}", {})
            arms[name]["seconds"].append(round(time.perf_counter() - began, 1))
            arms[name]["perplexity"].append(round(trainer.perplexity(scoring.score(model, *valid)), 2))
            print(name, seed, arms[name]["perplexity"][-1], flush=True)
    for arm in arms.values():
        logs = np.log(arm["perplexity"])
        arm |= {"geometric mean": round(float(np.exp(logs.mean())), 2), "sd of ln": round(float(logs.std(ddof=1)), 3)}
    with open("bench/records/first_weights.json", "w", encoding="utf-8") as file:
        json.dump(facts() | {"examples": settings.max_examples, "seeds": SEEDS, "arms": arms}, file, indent=2)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main()
