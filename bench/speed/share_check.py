"""Time and memory of the share check on a corpus of EFCAMDAT's size: made-up words, real sizes, one planted sentence.

    .venv/bin/python bench/speed/share_check.py [TEXTS]     # writes bench/records/share_check.json at full size

The checked files are those of a finished demo run, with its tables, figures and notebooks. They have nothing in common
with the corpus, so only the planted sentence may be found; images are refused and not counted. The check runs in a
process of its own, imports included.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts

TEXTS = 723_282
WORDS = {"A1": 38, "A2": 70, "B1": 94, "B2": 139, "C1": 193}  # mean of a text: EFCAMDAT's characters, 5 a word
LEVEL_SHARES = [0.472, 0.298, 0.161, 0.056, 0.014]
BLOCK = 20_000  # texts
EXPECTED = [" image that this run", "a row for each text"]  # of notebooks, which show images and rows of texts
RUN = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
from lib.sharing import leak_check
from lib.sharing.leaks.public_texts import published
paths = [Path(name) for name in sys.argv[2:]]
files = leak_check.list_files(paths)
began = time.perf_counter()
found = leak_check.check(paths, sys.argv[1], public=published([Path("runs")]))
positions = [[file.name, position] for file, position in zip(found["file"], found["position"])]
print(json.dumps({"imports_s": began - start, "check_s": time.perf_counter() - began, "files": len(files),
                  "megabytes": sum(file.stat().st_size for file in files) / 1e6, "found": positions}))
"""


def corpus(path, n):
    """Write texts.parquet of n texts, Zipf-distributed over 60,000 made-up words; returns (characters, first text)."""
    rng = np.random.default_rng(1)
    letters = rng.integers(97, 123, (60_000, 9)).astype(np.uint8).tobytes().decode()
    words = np.array([letters[9 * i : 9 * i + 2 + length] for i, length in enumerate(rng.integers(0, 7, 60_000))])
    cumulative = np.cumsum(1 / (np.arange(len(words)) + 2.7))
    schema = pa.schema([("learner_id", pa.string()), ("text", pa.string())])
    characters, first = 0, None
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            means = rng.choice(list(WORDS.values()), size, p=np.array(LEVEL_SHARES) / sum(LEVEL_SHARES))
            lengths = rng.poisson(means * rng.lognormal(-0.06, 0.35, size)).clip(1)
            ranks = np.searchsorted(cumulative, rng.random(lengths.sum()) * cumulative[-1])
            drawn = words[ranks.clip(max=len(words) - 1)]
            texts = [" ".join(text) for text in np.split(drawn, np.cumsum(lengths)[:-1])]
            learners = [f"{number:016x}" for number in rng.integers(0, n // 5 + 1, size)]
            file.write_table(pa.table({"learner_id": learners, "text": texts}, schema))
            characters += sum(map(len, texts))
            first = first or texts[0]
    return characters, first


def main(n):
    with tempfile.TemporaryDirectory() as folder:
        characters, first = corpus(Path(folder) / "texts.parquet", n)
        (Path(folder) / "leak.json").write_text(json.dumps({"note": " ".join(first.split()[:12])}))
        shared = ["figures/demo", "runs/demo/compare", "runs/demo/hypotheses", "runs/demo/notebooks", "README.md"]
        command = [sys.executable, "-c", RUN, f"{folder}/texts.parquet", f"{folder}/leak.json", *shared]
        start = time.perf_counter()
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
    output = json.loads(finished.stdout.splitlines()[-1])
    findings = [found for found in output.pop("found") if not any(reason in found[1] for reason in EXPECTED)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {"texts": n, "characters": characters, "seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime}
    result |= {"memory_gib": used.ru_maxrss / 2**20, **output}
    result = {key: round(value, 2) if isinstance(value, float) else value for key, value in result.items()}
    return facts() | result | {"found": findings}


if __name__ == "__main__":
    n_texts = int(sys.argv[1]) if sys.argv[1:] else TEXTS
    record = main(n_texts)
    print(json.dumps(record, indent=1))
    assert {name for name, _ in record["found"]} == {"leak.json"}, "only the planted sentence should be found"
    if n_texts == TEXTS:
        Path("bench/records/share_check.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
