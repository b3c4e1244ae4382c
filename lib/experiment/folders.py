"""Where an experiment keeps its files, what a notebook may read, and what a file says of its making."""

import os
import platform
import re
import subprocess
from pathlib import Path

from lib.errors import InvalidName, MissingResult
from lib.experiment import lock, manifest, parameters
from lib.experiment.files import file_hash, read_json
from lib.experiment.schemas import Masks
from lib.formatting import nearest_sentence


class Experiment:
    """The files of one experiment under runs/<name>/ and figures/<name>/.

    name: experiment, a folder name; anything else raises InvalidName. root: the repository as seen from where the code
    runs (notebooks run in notebooks/, so ".." there).
    """

    def __init__(self, name, root=".."):
        if not re.fullmatch(r"\w[\w.-]*", name):  # it stands in paths, shell commands and the graph
            near = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "mine"
            raise InvalidName(f"EXPERIMENT={name!r}: expected letters, digits, -, _ and . only. Try EXPERIMENT={near}")
        self.name, self.root, self.inputs = name, Path(root), {}
        self.folder = self.root / "runs" / name
        self.figures = self.root / "figures" / name
        self.texts = self.folder / "corpus/texts.parquet"
        self.report = self.folder / "corpus/report.json"
        self.index = self.folder / "masks/index.parquet"
        self.tokenizer = self.folder / "tokenizer"

    def frozen_masks(self, split):
        """Frozen masks of `split`: valid or test."""
        return self.folder / f"masks/{split}.parquet"

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

    def start(self, notebook):
        """Say which notebook this is; returns self. Raises ExperimentRunning while a run of which it is no part goes
        on."""
        lock.refuse_another(self.folder)
        self.notebook = notebook
        return self

    def require(self, path, made_by):
        """Return path, a file or folder of this run, once its manifest vouches for it; it counts as an input then.

        Raises MissingResult or StaleResult, which say what is wrong, and the command that goes on.
        """
        self.inputs |= manifest.check(require_file(path, made_by), made_by, self.folder)
        return path

    def corpus_report(self):
        """What 01_extract told, a dict; it counts as an input. Raises as `need`, and so do the next three."""
        return read_json(self.require(self.report, "01_extract"))

    def masks_report(self):
        """What 02_mask told, a dict."""
        return read_json(self.require(self.folder / "masks/report.json", "02_mask"))

    def mask_settings(self):
        """How 02_mask drew blanks: Masks parameters."""
        return parameters.validate(Masks, self.masks_report()["parameters"], "masks/report.json")

    def training_reports(self, model, seeds):
        """{seed: train.json} of a model, whose whole folders count as inputs."""
        return {seed: read_json(self.require(self.model(model, seed), "03_train") / "train.json") for seed in seeds}

    def add_inputs(self, files):
        """Count files from outside the run as inputs."""
        self.inputs |= {os.path.relpath(file, self.folder): file_hash(file) for file in files}

    def write_manifest(self, settings, *folders):
        """Write the manifest of each of these finished folders: the very last thing that is written there."""
        for folder in folders:
            facts = self.notebook, settings.model_dump(), self.inputs, self.folder, self.root / "notebooks"
            manifest.write_manifest(folder, *facts)


def require_file(path, made_by):
    """Return path as it is, or raise MissingResult naming the notebook that makes it."""
    if not Path(path).exists():
        raise MissingResult(f"{path} is not there yet.\nNotebook {made_by} makes it: run that one first, "
                      "or let the graph find the order with `make demo` or `make run`.")  # fmt: skip
    return path


def provenance(parameters, **inputs):
    """What a result says of its making: parameters, input hashes, commit, versions, machine kind."""
    made_from = {name: file_hash(path) for name, path in inputs.items()}
    told = {"parameters": parameters.model_dump(), "inputs": made_from, "commit": commit()}
    return told | {"versions": manifest.versions(), "machine": machine_description()}


def commit():
    """The commit of the code, or None outside a repository."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return asked.stdout.strip() or None


def machine_description():
    """The kind of this machine, without its name."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def existing_experiment(name, root="."):
    """The runs.Experiment `name`, of which something is there already. Raises MissingResult, naming those there are."""
    home = Path(root) / "runs"
    there = sorted({path.parent.name for mark in (".lock", "corpus") for path in home.glob(f"*/{mark}")})
    if name in there:
        return Experiment(name, root)
    near = nearest_sentence(name, there, "EXPERIMENT={}")
    known = f"There are: {', '.join(there)}." if there else f"There is none in {home} yet; make demo makes one."
    raise MissingResult(f"There is no experiment {name!r}. {near}{known}")
