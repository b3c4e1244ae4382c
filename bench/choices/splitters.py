"""Which program finds the sentences of learner-like text best, and how fast: ours beside others.

    pip install --target /somewhere --no-deps pysbd nupunkt
    .venv/bin/python -m nltk.downloader punkt_tab
    PYTHONPATH=/somewhere .venv/bin/python bench/splitters.py

The texts are joined here from sentences of the embedded corpus, so that the true bounds are known, with what learners
do and what misleads: sentences glued together, small first letters, several marks, abbreviations, no last mark.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.experiment.files import write_json
from lib.masking.segmentation import punkt_sentences, sentences
from lib.synthetic.demo_corpus import embedded_corpus

MISLEADING = ["Mr. Smith came too.", "I get up at 8 a.m. and go.", "We buy apples, bread, etc. every day.",
              "It cost 3.50 $.",
              "She lives in the U.S. now.", "I like fruit, e.g. apples.", "See you at 5 p.m. today."]  # fmt: skip
GLUED, SMALL, MORE_MARKS, ABBREVIATED, UNMARKED = 0.12, 0.15, 0.05, 0.08, 0.3  # shares of sentences; of texts the last


def joined(pool, rng):
    """(text, [where sentences begin]) of 3 to 12 sentences."""
    text, begins, n = "", [], rng.integers(3, 13)
    for i in range(n):
        sentence = str(rng.choice(MISLEADING if rng.random() < ABBREVIATED else pool))
        glued = i and rng.random() < GLUED
        if i and not glued and rng.random() < SMALL:
            sentence = sentence[0].lower() + sentence[1:]
        if rng.random() < MORE_MARKS:
            sentence = sentence.rstrip(".!?") + str(rng.choice(["...", "!!", "?!", " ."]))
        text += "" if glued or not i else " "
        begins.append(len(text))
        text += sentence
    return (text.rstrip(".!?") if rng.random() < UNMARKED else text), begins


def others():
    """Programs that are installed, as functions from a text to where sentences begin."""
    found = {"rules": lambda text: [at for at, _ in sentences(text)]}
    try:
        punkt_sentences("One. Two.")
        found["punkt"] = lambda text: [at for at, _ in punkt_sentences(text)]
    except LookupError:
        print("punkt: no data")
    try:
        import pysbd

        segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
        found["pysbd"] = lambda text: [span.start for span in segmenter.segment(text)]
    except ImportError:
        print("pysbd: not installed")
    try:
        import nupunkt

        found["nupunkt"] = lambda text: [span[0] for span in nupunkt.sent_spans(text)]
    except ImportError:
        print("nupunkt: not installed")
    return found


def f1(found, expected):
    """Precision, recall and their harmonic mean over the bounds within texts."""
    hit = sum(len(set(f) & set(e)) - 1 for f, e in zip(found, expected))  # where a text begins is no find
    precision, recall = (hit / max(sum(len(set(e)) - 1 for e in side), 1) for side in (found, expected))
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall)}


if __name__ == "__main__":
    rng = np.random.default_rng(2020)
    clean = [one for text in embedded_corpus()["text_corrected"].head(800) for line in text.split("\n")
             for one in line.replace("! ", ". ").replace("? ", ". ").split(". ")]  # fmt: skip
    whole = [one.strip(" .!?") for one in clean if len(one.split()) > 3 and one[0].isupper()]
    pool = sorted({one + "." for one in whole if "." not in one})
    texts, expected = zip(*(joined(pool, rng) for _ in range(2000)))
    record = facts() | {"texts": len(texts), "sentences": sum(map(len, expected))}
    for name, split in others().items():
        some = texts[:200] if name == "pysbd" else texts
        split(texts[0])
        start = time.perf_counter()
        found = [split(text) for text in some]
        speed = len(some) / (time.perf_counter() - start)
        record[name] = f1(found, expected[: len(some)]) | {"texts_per_second": speed}
        print(name, json.dumps(record[name]), flush=True)
    write_json(record, "bench/records/splitters.json")
