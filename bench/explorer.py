"""How soon the explorer of 05_infill answers with models of GPT-2's size: 12 layers of 768, 50,264 tokens.

    .venv/bin/python bench/explorer.py

The first answer is there when the first model's row could be shown, counted from the click: once with a model that the
notebook has in memory, once with one that must be read from the disk, its hashes compared first. Weights are random,
which is the slowest case: such a model hardly ever ends a filling. bench/records/explorer.json holds what came out.
"""

import statistics
import tempfile
import time
from pathlib import Path

import torch
from record import facts
from transformers import GPT2Config, GPT2LMHeadModel

from lib import asking, manifest, prepare, scoring
from lib.examples import SPECIALS
from lib.files import digest, write_json
from lib.runs import Experiment

RECORD = Path(__file__).parent / "records/explorer.json"
N_TOKENS, MODELS, ROUNDS = 50_264, ["a1", "a2", "b1", "b2", "c1", "general"], 3
ASKED = {
    "one word": (asking.fillings, "Yesterday my sister and I ate leftover pasta for [lunch] in the garden."),
    "two words": (asking.fillings, "Yesterday my [sister] and I ate leftover pasta for _ in the garden."),
    "a sentence": (asking.fillings, "Yesterday we ate pasta. ___ Then we went home."),
    "whose text, 100 words": (asking.whole_text, "Yesterday we ate leftover pasta for our lunch today. " * 11),
}


def models(run, tokenizer):
    """Six model folders of GPT-2's size, as 03_train leaves them."""
    for seed, name in enumerate(MODELS):
        torch.manual_seed(seed)
        network, folder = GPT2LMHeadModel(GPT2Config(vocab_size=N_TOKENS)), run.model(name, 0)
        network.save_pretrained(folder)
        own = {"model": name, "seed": 0, "levels": ["A1"], "init_from": "scratch", "status": "trained"}
        own |= {"megabytes": 497.8, "fingerprint": scoring.fingerprint(network)}
        write_json(own, folder / "train.json")
        files = {path.name: digest(path) for path in folder.iterdir()}
        write_json({"files": files, "inputs": {}}, folder / manifest.NAME)


def asked(panel, answer, marked):
    """Seconds until the first row and until the last."""
    start, took = time.perf_counter(), []
    for _ in panel.ask(answer, asking.parse(marked)):
        took.append(time.perf_counter() - start)
    return took[0], took[-1]


def main():
    torch.set_grad_enabled(False)
    scoring.quiet()
    words = prepare.tokenizer("bpe", ["Yesterday my sister and I ate leftover pasta for lunch."] * 9, 400)
    words.add_tokens([f"<{n}>" for n in range(N_TOKENS - len(words) - len(SPECIALS))])  # ids beyond are never typed
    found = {"threads": torch.get_num_threads(), "models": len(MODELS), "rounds": ROUNDS}
    with tempfile.TemporaryDirectory() as folder:
        run = Experiment("bench", folder)
        models(run, words)
        panels = [asking.Panel(run, words) for _ in range(ROUNDS)]
        first, last = zip(*[asked(panel, *ASKED["one word"]) for panel in panels])
        found["one word, models not read yet"] = {"first": statistics.median(first), "all": statistics.median(last)}
        for name, question in ASKED.items():
            first, last = zip(*[asked(panels[0], *question) for _ in range(ROUNDS)])
            found[name] = {"first": statistics.median(first), "all": statistics.median(last)}
    rounded = {
        name: {k: round(v, 2) for k, v in row.items()} if isinstance(row, dict) else row for name, row in found.items()
    }
    write_json(facts() | {"seconds": rounded}, RECORD)
    print(rounded)


if __name__ == "__main__":
    main()
