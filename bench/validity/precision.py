"""Does training in bfloat16 end where training in float32 ends? bench/validity/precision.py [EXAMPLES]

After `make demo`. Trains models of the demo in both precisions, from the same weights, with the same examples in the
same order, and compares their validation perplexities at equal examples. EXAMPLES: read by each, by default 800. The
record is bench/records/precision.json. bfloat16 is used whether or not the processor has instructions for it.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd
import torch
from transformers import AutoTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.masking import frozen_masks, token_index
from lib.models import devices
from lib.training import loop, preparation

MODELS = ["a1", "general"]
SEEDS = [0, 1]
BOUND = 0.01  # relative difference of perplexities
RECORD = "bench/records/precision.json"


def prepared(run, name, n_examples):
    """(settings, Masks parameters, tokenizer, training rows, validation set) of a model of the demo."""
    settings = parameters.load_file(f"params/demo/{name}.yaml")
    settings = settings.model_copy(
        update={"max_examples": n_examples, "eval_every": n_examples // 2, "snapshot_at": {}}
    )
    tokenizer = AutoTokenizer.from_pretrained(run.tokenizer)
    texts = pd.read_parquet(run.texts, columns=["text_id", "level", "split"])
    index = token_index.read_index(run.index).merge(texts, on="text_id")
    index = index[index["level"].isin(settings.levels)]
    held_out = frozen_masks.validation_subset(index[index["split"] == "valid"])
    masks = pd.read_parquet(run.frozen_masks("valid"))
    masks = masks[(masks["mask_type"] == "training_mix") & (masks["mask_set"] == 0)]
    masks = masks[masks["text_id"].isin(held_out["text_id"])]
    valid = preparation.validation_set(settings, tokenizer, held_out, masks)
    return settings, parameters.load_file("params/demo/masks.yaml"), tokenizer, index[index["split"] == "train"], valid


def trained(precision, seed, settings, mask_settings, tokenizer, rows, valid):
    """The validation perplexity after all examples."""
    settings = settings.model_copy(update={"precision": precision})
    steps, model = preparation.prepare_training(settings, mask_settings, tokenizer, rows, seed)
    with tempfile.TemporaryDirectory() as folder:
        curve, _ = loop.train(model, steps, valid, settings, seed, Path(folder), f"{precision}, seed {seed}", {})
    return float(curve["valid_perplexity"].iloc[-1])


def main(n_examples):
    devices.current_device = lambda: devices.CPU._replace(bfloat16=True)
    run = Experiment("demo", ".")
    rows = []
    for name in MODELS:
        inputs = prepared(run, name, n_examples)
        for seed in SEEDS:
            perplexity = {precision: trained(precision, seed, *inputs) for precision in ["float32", "bfloat16"]}
            difference = perplexity["bfloat16"] / perplexity["float32"] - 1
            rows.append({"model": name, "seed": seed, **perplexity, "difference": difference})
            print(rows[-1], flush=True)
            largest = max(abs(row["difference"]) for row in rows)
            found = {"examples": n_examples, "bound": BOUND, "within_bound": largest <= BOUND, "trainings": rows}
            write_json(facts() | found, RECORD)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]) if sys.argv[1:] else 800)
