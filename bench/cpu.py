"""What each part of the study costs beside upstream ILM's own code, or its way of doing it, in one run on this machine.

    git clone https://github.com/chrisdonahue/ilm /somewhere/ilm
    .venv/bin/python -m nltk.downloader punkt_tab
    .venv/bin/python bench/cpu.py /somewhere/ilm [part ...] [--rounds N]

Parts are named in PARTS. Each round runs theirs, then ours, on the same texts; the ratio is of the medians, with its
least and greatest value over rounds. Texts have the lengths of EFCAMDAT's and made-up words. The record is
bench/records/cpu.json; what is not asked for keeps its place in it. Torch computes with one thread on both sides.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import facts
from size import corpus
from upstream import Upstream, align

from lib import indexing, masks, params, units
from lib.examples import assemble, lengths
from lib.indexing import Texts
from lib.runs import read_json, write_json

RECORD = Path(__file__).parent / "records/cpu.json"
WORKERS = 4  # processes in which upstream aligns masks with tokens, its default
DRAWING = params.load("params/efcamdat/masks.yaml")
HOW = (DRAWING.masks_per_text, DRAWING.tries, *masks.chances(DRAWING.p, DRAWING.ngram_share), DRAWING.max_ngram)


def ratio(n, theirs, ours, times=1):
    """Seconds of both, n times in turn, and how many times faster ours is, which does `times` as much as theirs."""
    seconds = {"theirs": [], "ours": []}
    for _ in range(n):
        for side, run in [("theirs", theirs), ("ours", ours)]:
            start = time.perf_counter()
            run()
            seconds[side].append(time.perf_counter() - start)
    each = [times * a / b for a, b in zip(*seconds.values())]
    return {side: spread(took) for side, took in seconds.items()} | {"ratio": spread(each)}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def once(n):
    """Texts of EFCAMDAT's lengths."""
    return corpus(n)["text"].tolist()


def frame(texts):
    return pd.DataFrame({"text_id": range(len(texts)), "text": texts})


def indexed(table, up, processes=1):
    index = indexing.build(table, up.gpt2, "rules", 1024, processes=processes)
    return Texts.of(index), masks.text_keys(index["text_id"])


def one_pass(index, first, number):
    """All masks of one training pass over the index and their examples; returns how many those are."""
    flat, keys = index
    drawn = masks.draw(flat.units, flat.unit_bounds, keys, 0, masks.TRAINING, number, *HOW)
    length = lengths(flat, *drawn)
    (fits,) = np.nonzero(length > 0)
    assemble(flat, drawn, fits, length[fits], first)
    return len(fits)


def sampling(up, n):
    """Masks alone, on one core: both sides know already where words and sentences stand."""
    texts = once(100)  # upstream remembers the offsets of its last 128 texts
    flat, keys = indexed(frame(texts), up)
    repeats = 50

    def ours():
        for number in range(repeats):
            masks.draw(flat.units, flat.unit_bounds, keys, 0, masks.TRAINING, number, *HOW)

    up.masks(texts), ours()
    return ratio(n, lambda: [up.masks(texts) for _ in range(5)], ours, times=repeats / 5)


def first_pass(up, n):
    """All work before the first step, wall time with the processes each side takes."""
    texts, table = once(2000), frame(once(2000))

    def theirs():
        up.forget()
        masked = up.masks(texts)
        with multiprocessing.Pool(WORKERS) as pool:
            rows = list(pool.imap(align, masked))
        np.concatenate([inputs for inputs, _ in rows]), np.concatenate([roles for _, roles in rows])

    def ours():
        units._piece.cache_clear()
        one_pass(indexed(table, up, os.cpu_count()), up.first, 0)

    return ratio(n, theirs, ours) | {"texts": len(texts)}


def later_pass(up, n):
    """Every further pass on one core: masks drawn anew and their examples built."""
    texts = once(400)
    index = indexed(frame(texts), up)
    made, repeats = one_pass(index, up.first, 1), 20

    def theirs():
        up.forget()
        for masked in up.masks(texts):
            up.examples_of(masked)

    found = ratio(n, theirs, lambda: [one_pass(index, up.first, 2 + i) for i in range(repeats)], times=repeats)
    return found | {"examples_per_second": made * repeats / found["ours"]["median"]}


PARTS = {"sampling": sampling, "first_pass": first_pass, "later_pass": later_pass}

if __name__ == "__main__":
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("upstream", help="a checkout of github.com/chrisdonahue/ilm")
    known.add_argument("parts", nargs="*", help=", ".join(PARTS))
    known.add_argument("--rounds", type=int, default=5)
    asked = known.parse_args()
    torch.set_num_threads(1)
    upstream = Upstream(asked.upstream)
    for part in asked.parts or PARTS:
        found = PARTS[part](upstream, asked.rounds)
        print(part, json.dumps(found), flush=True)
        write_json((read_json(RECORD) if RECORD.exists() else {}) | {part: facts() | found}, RECORD)
