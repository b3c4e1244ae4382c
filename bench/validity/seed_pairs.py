"""Are the seeds of two models pairs? `.venv/bin/python bench/validity/seed_pairs.py [SEED ...]` after `make demo`.

Two runs of one seed share their first weights, and a transfer model starts from the general model of its seed. If that
made their perplexities vary together, the variance of their difference would be smaller than the sum of two variances.
Trains the demo's general model, specialists and transfer models from each seed, scores the validation texts, and writes
variances, covariances and correlations over seeds to bench/records/seed_pairs.json.
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
from lib.design import GENERAL, LEVELS, specialist_of, transfer_of
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment
from lib.masking import token_index
from lib.masking.examples import first_special_of
from lib.models import initialization
from lib.training import loop, model_folder
from lib.training.dataset import Steps

RECORD = "bench/records/seed_pairs.json"
PAIRS = ["general, specialist", "general, transfer", "specialist, transfer"]
DRAWS = 2000  # random pairings of seeds


class Study:
    """The demo's texts, masks and tokenizer."""

    def __init__(self):
        run = Experiment("demo", ".")
        self.tokenizer = AutoTokenizer.from_pretrained(run.tokenizer)
        self.special = first_special_of(self.tokenizer)
        self.masks = parameters.load_file("params/demo/masks.yaml")
        texts = pd.read_parquet(run.texts, columns=["text_id", "level", "split"])
        self.index = token_index.read_index(run.index).merge(texts, on="text_id")
        frozen = pd.read_parquet(run.frozen_masks("valid"))
        self.frozen = frozen[frozen["mask_type"] == "training_mix"]

    def valid(self, levels):
        """Examples of the validation texts of these levels, as `scoring.frozen_examples` returns them."""
        rows = self.index[(self.index["split"] == "valid") & self.index["level"].isin(levels)]
        return scoring.frozen_examples(rows, self.frozen[self.frozen["text_id"].isin(rows["text_id"])], self.special)

    def trained(self, name, seed, base=None):
        """The demo's model `name`, trained from a seed. base: the folder of the model that it starts from."""
        settings = parameters.load_file(f"params/demo/{name}.yaml")
        in_levels = self.index["level"].isin(settings.levels)
        train = self.index[(self.index["split"] == "train") & in_levels]
        set_seed(seed)
        steps = Steps(train, self.masks, settings, seed, self.special)
        model = initialization.initial_model(settings, self.tokenizer, self.masks.max_length, base)
        with tempfile.TemporaryDirectory() as folder:
            valid = self.valid(settings.levels)
            loop.train(model, steps, valid, settings, seed, Path(folder), f"{name}, seed {seed}", {})
        return model

    def log_ppl(self, model, level):
        """ln perplexity on the validation texts of a level."""
        scores = scoring.score(model, *self.valid([level]))
        return scores["nll_text"].sum() / scores["n_tokens"].sum()


def of_one_seed(study, seed):
    """{(model, level): ln perplexity} of the general model, and of each level's specialist and transfer model."""
    found = {}
    general = study.trained(GENERAL, seed)
    with tempfile.TemporaryDirectory() as folder:
        model_folder.save_portable(general, study.tokenizer, Path(folder))
        for level in LEVELS:
            found[GENERAL, level] = study.log_ppl(general, level)
            specialist = study.trained(specialist_of(level), seed)
            found["specialist", level] = study.log_ppl(specialist, level)
            transfer = study.trained(transfer_of(level), seed, folder)
            found["transfer", level] = study.log_ppl(transfer, level)
    return found


def moments(deviations, a, b):
    """(variance of a, variance of b, covariance), means over the levels. deviations: seeds x (kind, level)."""
    scale = len(deviations) / (len(deviations) - 1)
    products = [deviations[first] * deviations[second] for first, second in ((a, a), (b, b), (a, b))]
    return np.array([scale * product.to_numpy().mean() for product in products])


def correlation(table, a, b):
    """Correlation over seeds of the ln PPL of kinds a and b, from moments that are pooled over levels."""
    var_a, var_b, covariance = moments(table - table.mean(), a, b)
    return covariance / np.sqrt(var_a * var_b)


def summary(table, rng):
    """{pair: noise of both, variance of the difference, correlation, p}. table: ln PPL, seeds x (kind, level).

    p: the share of random pairings of the seeds of the first with the seeds of the second whose correlation is as high.
    It is exact under independence, and does not need independent levels, since whole seeds change places.
    """
    found = {}
    for pair in PAIRS:
        a, b = pair.split(", ")
        var_a, var_b, covariance = moments(table - table.mean(), a, b)
        observed = correlation(table, a, b)
        as_high = 0
        for _ in range(DRAWS):
            shuffled = table[b].iloc[rng.permutation(len(table))].reset_index(drop=True)
            both = pd.concat({a: table[a].reset_index(drop=True), b: shuffled}, axis=1)
            as_high += correlation(both, a, b) >= observed - 1e-12
        found[pair] = {
            "sd of the first": round(float(np.sqrt(var_a)), 4),
            "sd of the second": round(float(np.sqrt(var_b)), 4),
            "variance of the difference / sum of variances": round(float(1 - 2 * covariance / (var_a + var_b)), 3),
            "correlation": round(float(observed), 3),
            "p": round(float((1 + as_high) / (1 + DRAWS)), 4),
        }
    return found


def across_levels(table, kind):
    """Mean correlation over seeds between the levels of one kind of model."""
    matrix = np.corrcoef(table[kind].to_numpy().T)
    return round(float(matrix[np.triu_indices(len(matrix), 1)].mean()), 3)


def main(seeds):
    """Train from these seeds; each is added to those that the record has already, made by the same code and texts."""
    study = Study()
    for seed in seeds:
        found = {" ".join(key): round(float(value), 4) for key, value in of_one_seed(study, seed).items()}
        print(seed, found, flush=True)
        earlier = read_json(RECORD)["ln perplexity"] if Path(RECORD).exists() else {}
        by_seed = earlier | {str(seed): found}
        write_json(facts() | record(by_seed), RECORD)


def record(by_seed):
    """The content of the record. by_seed: {seed: {"model level": ln perplexity}}; a summary needs four seeds."""
    table = pd.DataFrame(by_seed.values())
    table.columns = pd.MultiIndex.from_tuples([name.split() for name in table.columns])
    found = {"seeds": len(table), "ln perplexity": by_seed}
    if len(table) < 4:
        return found
    between = {kind: across_levels(table, kind) for kind in table.columns.unique(0)}
    return found | {"pairs": summary(table, np.random.default_rng(0)), "correlation between levels": between}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main([int(seed) for seed in sys.argv[1:]] or range(16))
