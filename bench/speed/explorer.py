"""How soon the explorer of 05_infill answers with models of GPT-2's size: 12 layers of 768, 50,264 tokens.

    .venv/bin/python bench/speed/explorer.py

The first answer is there when the first model's row could be shown, counted from the click: once with a model that the
notebook has in memory, once with one that must be read from the disk, its fingerprint compared. Weights are random,
which is the slowest case: such a model hardly ever ends a filling. bench/records/explorer.json holds what came out.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.experiment import manifest
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.infilling import queries
from lib.masking import tokenization
from lib.models import loading

RECORD = Path(__file__).parents[1] / "records/explorer.json"
N_TOKENS, MODELS, ROUNDS = 50_264, ["a1", "a2", "b1", "b2", "c1", "general"], 3
ASKED = {
    "one word": (queries.fill_blanks, "Yesterday my sister and I ate leftover pasta for [lunch] in the garden."),
    "two words": (queries.fill_blanks, "Yesterday my [sister] and I ate leftover pasta for _ in the garden."),
    "a sentence": (queries.fill_blanks, "Yesterday we ate pasta. ___ Then we went home."),
    "whose text, 100 words": (queries.text_perplexity, "Yesterday we ate leftover pasta for our lunch today. " * 11),
}


def models(run):
    """Six folders as 03_train leaves them, of one set of weights."""
    network = GPT2LMHeadModel(GPT2Config(vocab_size=N_TOKENS))
    network.save_pretrained(run.model(MODELS[0], 0))
    weights = loading.fingerprint(network)
    for name in MODELS:
        folder = run.model(name, 0)
        if name != MODELS[0]:
            shutil.copytree(run.model(MODELS[0], 0), folder, copy_function=os.link)
        own = {
            "model": name,
            "seed": 0,
            "levels": ["A1"],
            "init_from": "scratch",
            "status": "trained",
            "parameters": {},
        }
        write_json(own | {"megabytes": 497.8, "fingerprint": weights}, folder / "train.json")
        write_json({}, folder / manifest.MANIFEST)


def asked(panel, answer, marked):
    """Seconds until the first row and until the last: by the clock, and of this process's computing."""
    start, took = (time.perf_counter(), time.process_time()), []
    for _ in panel.ask(answer, queries.parse_query(marked)):
        took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return {"first": took[0][0], "first_cpu": took[0][1], "all": took[-1][0], "all_cpu": took[-1][1]}


def medians(rounds):
    return {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}


def main():
    torch.set_num_threads(1)
    loading.silence_transformers()
    words = tokenization.make_tokenizer("bpe", ["Yesterday my sister and I ate leftover pasta for lunch."] * 9, 400)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        run = Experiment("bench", folder)
        models(run)
        not_read = [asked(panel := queries.ModelPanel(run, words), *ASKED["one word"]) for _ in range(ROUNDS)]
        found["one word, models not read yet"] = medians(not_read)
        for name, question in ASKED.items():
            found[name] = medians([asked(panel, *question) for _ in range(ROUNDS)])
            print(name, found[name], flush=True)
    how = {"torch_threads": 1, "models": len(MODELS), "rounds": ROUNDS, "load_average": os.getloadavg()[0]}
    write_json(facts() | how | {"seconds": found}, RECORD)
    print(found)


if __name__ == "__main__":
    main()
