"""Where an experiment keeps its files, how a file is written, and what a file says of its making."""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pandas as pd

LEVELS = ["A1", "A2", "B1", "B2", "C1"]
PACKAGES = ["torch", "transformers", "tokenizers", "numpy", "pandas", "scipy", "statsmodels"]


class Missing(FileNotFoundError):
    """An input that another notebook makes is not there yet."""


class Experiment:
    """The files of one experiment under runs/<name>/ and figures/<name>/.

    name: experiment, a folder name. root: the repository as seen from where the code runs
    (notebooks run in notebooks/, so ".." there).
    """

    def __init__(self, name, root=".."):
        self.name, self.root = name, Path(root)
        self.folder = self.root / "runs" / name
        self.figures = self.root / "figures" / name
        self.texts = self.folder / "corpus/texts.parquet"
        self.report = self.folder / "corpus/report.json"
        self.index = self.folder / "masks/index.parquet"
        self.tokenizer = self.folder / "tokenizer"

    def masks(self, part):
        """Frozen masks of `part`: valid or test."""
        return self.folder / f"masks/{part}.parquet"

    def model(self, model, seed):
        return self.folder / f"models/{model}/seed{seed}"

    def scores(self, model, seed):
        return self.folder / f"evaluation/{model}/seed{seed}/scores.parquet"

    def infills(self, model, seed, table):
        return self.folder / f"infills/{model}/seed{seed}/{table}.parquet"

    def compare(self, table):
        return self.folder / f"compare/{table}"

    def hypotheses(self, table):
        return self.folder / f"hypotheses/{table}"


def need(path, made_by):
    """Return path as it is, or raise Missing naming the notebook that makes it."""
    if not Path(path).exists():
        raise Missing(
            f"{path} is not there yet.\nNotebook {made_by} makes it: run that one first, "
            "or let the graph find the order with `make demo` or `make run`."
        )
    return path


@contextlib.contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; on success it is flushed to disk and takes `path`'s name.

    A reader therefore sees the old file or the whole new one, never a part. The suffix is kept,
    since writers such as matplotlib choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path, last):
    """Yield a temporary folder; on success its files move into `path` one by one, the file `last` at the end.

    The file `last` therefore vouches for the others: it is there only when they are.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        path.mkdir(exist_ok=True)
        (path / last).unlink(missing_ok=True)
        for file in sorted(temporary.iterdir(), key=lambda file: file.name == last):
            os.replace(file, path / file.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_table(frame, path):
    """Write a data frame as .parquet or .csv (floats in shortest exact form), atomically."""
    with atomic(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, lineterminator="\n")


def write_json(content, path):
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_csv(path):
    """A table of this project: only an empty cell is missing, so the L1 or text "NA" stays text."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def digest(path, length=16):
    """The first `length` hexadecimal digits of a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:length]


def provenance(parameters, **inputs):
    """What a result says of its making: parameters, input hashes, commit, versions, machine kind."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "parameters": parameters.model_dump(),
        "inputs": {name: digest(path) for name, path in inputs.items()},
        "commit": commit.stdout.strip() or None,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
