"""How far apart do seeds leave a model on the real study's smallest budget? bench/validity/seed_budget.py [RATE]

After `make demo`. Trains C1's model as params/efcamdat does, on as many texts (10,006) and examples (80,000, 24 a
step), from one and the same base; only texts, network and base are the demo's, and the rate is a tenth of that which
the base was trained with, as GPT-2's 5e-5 roughly is. Writes the valid perplexity at each look, seed by seed, and the
spread of its logarithm to bench/records/seed_budget.json. validity/simulation.py has a condition with that noise, .01.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, set_seed

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment
from lib.masking import frozen_masks, token_index
from lib.masking.examples import first_special_of
from lib.models import initialization
from lib.synthetic import demo_corpus
from lib.training import loop
from lib.training.dataset import Steps

SEEDS = range(4)
TEXTS, WRITTEN = 10_006, 99_900  # of C1 in EFCAMDAT; of all levels, a tenth of them C1
LOOK = 8_000 // 24 * 24  # examples between two looks
RECORD = "bench/records/seed_budget.json"


def corpus(tokenizer, drawing):
    """(index of the training texts, of the valid texts): C1 alone, learners parted."""
    texts = demo_corpus.embedded_corpus(WRITTEN, seed=5).query("cefr == 'C1'").drop_duplicates("text")[:TEXTS]
    texts = texts.assign(text_id=texts["writing_id"].astype(str), level="C1").reset_index(drop=True)
    held_out = texts["learner_id"] % 10 == 0
    how = tokenizer, drawing.splitter, drawing.max_length
    return [token_index.build_index(texts[rows].reset_index(drop=True), *how) for rows in (~held_out, held_out)]


def main(rate):
    run, drawing = Experiment("demo", "."), parameters.load_file("params/demo/masks.yaml")
    base, tokenizer = str(run.model("general", 0)), AutoTokenizer.from_pretrained(run.tokenizer)
    special = first_special_of(tokenizer)
    real, small = parameters.load_file("params/efcamdat/c1.yaml"), parameters.load_file("params/demo/c1.yaml")
    settings = real.model_copy(update={"eval_every": LOOK, "learning_rate": rate, "dropout": small.dropout})
    train, held_out = corpus(tokenizer, drawing)
    valid = scoring.frozen_examples(held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 4), special)
    looks = {}
    for seed in SEEDS:
        set_seed(seed)
        steps = Steps(train, drawing, settings, seed, special)
        model = initialization.initial_model(settings, tokenizer, drawing.max_length, base)
        with tempfile.TemporaryDirectory() as folder:
            curve, how = loop.train(model, steps, valid, settings, seed, Path(folder), f"seed {seed}", {})
        for examples, ppl in zip(curve["examples"], curve["valid_perplexity"], strict=True):
            looks.setdefault(int(examples), []).append(round(ppl, 4))
        print(seed, how, curve[["examples", "valid_perplexity"]].round(3).to_string(index=False), flush=True)
        spread = {n: round(float(np.log(ppl).std(ddof=1)), 5) for n, ppl in looks.items() if len(ppl) > 1}
        found = {"training_texts": len(train), "valid_texts": len(held_out), "seeds": seed + 1, "perplexity": looks}
        known = read_json(RECORD)["rates"] if Path(RECORD).exists() else {}
        rates = known | {str(rate): facts() | found | {"sd of ln": spread}}
        write_json({"examples_per_step": settings.examples_per_step, "rates": rates}, RECORD)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(float(sys.argv[1]) if sys.argv[1:] else 4e-4)
