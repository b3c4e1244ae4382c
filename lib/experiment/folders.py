"""Where an experiment keeps its files, which of them a notebook may use, and how a result was made."""

import os
import platform
import re
import subprocess
from pathlib import Path

from lib.errors import InvalidName, MissingResult, StaleResult
from lib.experiment import lock, manifest, parameters
from lib.experiment.code_hashes import notebook_hashes
from lib.experiment.files import file_hash, read_json, walk
from lib.experiment.schemas import Masks, Train
from lib.formatting import nearest_sentence

ONCE = {"01_extract": "corpus", "02_mask": "masks", "06_compare": "compare", "07_hypotheses": "hypotheses"}
MISPLACED = "misplaced"  # folder of results that were found in another result's place
BY_HAND = "by_hand"  # folder of what a notebook made that was run by hand, although its result is finished
NO_RESULTS = {"checkpoints", MISPLACED, BY_HAND}  # checkpoints have manifests of another kind
PER_MODEL = {"03_train": "models", "04_evaluate": "evaluation", "05_infill": "infills"}


class Experiment:
    """The files of one experiment under runs/<name>/.

    name: of the experiment, a folder name; anything else raises InvalidName. root: the repository relative to the
    current folder (notebooks run in notebooks/, so ".." there).

    A notebook that is run by hand does not overwrite finished results: it writes to by_hand/<notebook>/, and the paths
    below lead there (`notebook.start`).
    """

    def __init__(self, name, root=".."):
        if not re.fullmatch(r"\w[\w.-]*", name):  # it is part of paths and of the graph
            near = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "mine"
            raise InvalidName(f"EXPERIMENT={name!r}: expected letters, digits, -, _ and . only. Try EXPERIMENT={near}")
        self.name = name
        self.root = Path(root)
        self.inputs = {}
        self.folder = self.root / "runs" / name
        self.by_hand = None  # folder for what this notebook makes again
        self.aside = {}  # finished result of this notebook: its folder in by_hand
        self.settle = lambda: None  # called after manifests were written
        self.check_cell = lambda: None  # raises ParameterError if the notebook's parameters have changed since `start`

    def result(self, name):
        """The folder of a result, named by its path in the run, for the notebook that makes or reads it."""
        self.check_cell()
        folder = self.folder / name
        return self.aside.get(folder, folder)

    @property
    def figures(self):
        self.check_cell()
        return (self.by_hand if self.aside else self.folder) / "figures"

    @property
    def texts(self):
        return self.result("corpus") / "texts.parquet"

    @property
    def report(self):
        return self.result("corpus") / "report.json"

    @property
    def index(self):
        return self.result("masks") / "index.parquet"

    @property
    def tokenizer(self):
        return self.result("tokenizer")

    def frozen_masks(self, split):
        """Frozen masks of `split`: valid or test."""
        return self.result("masks") / f"{split}.parquet"

    def checkpoints(self, model):
        """The folder of a model's checkpoints, with one for each seed."""
        is_aside = any(folder.parent == self.folder / "models" / model for folder in self.aside)
        return (self.by_hand if is_aside else self.folder) / "checkpoints" / model

    def model(self, model, seed):
        return self.result(f"models/{model}/seed{seed}")

    def scores(self, model, seed):
        return self.result(f"evaluation/{model}/seed{seed}") / "scores.parquet"

    def infills(self, model, seed, table):
        return self.result(f"infills/{model}/seed{seed}") / f"{table}.parquet"

    def compare(self, table):
        return self.result("compare") / table

    def hypotheses(self, table):
        return self.result("hypotheses") / table

    def start(self, notebook):
        """Say which notebook this is; returns self.

        Raises ExperimentRunning while a run goes on to which this process does not belong.
        """
        lock.refuse_another(self.folder)
        self.notebook = notebook
        return self

    def require(self, path, made_by):
        """Return path, a file or folder of this run, if its manifest certifies it; from then on it is an input.

        Raises MissingResult or StaleResult, with the reason and the command that goes on, or ExperimentRunning if it
        belongs to a model that is being trained.
        """
        try:
            self.inputs |= manifest.check(require_file(path, made_by), made_by, self.folder)
        except (MissingResult, StaleResult):
            lock.refuse_unfinished_model(path, self.folder)
            raise
        return path

    def corpus_report(self):
        """The report of 01_extract, a dict; from then on it is an input. Raises as `require`, as the next three do."""
        return read_json(self.require(self.report, "01_extract"))

    def masks_report(self):
        """The report of 02_mask, a dict."""
        return read_json(self.require(self.folder / "masks/report.json", "02_mask"))

    def mask_settings(self):
        """The Masks parameters of 02_mask."""
        return parameters.validate(Masks, self.masks_report()["parameters"], "masks/report.json")

    def training_reports(self, model, seeds):
        """{seed: train.json} of a model, whose whole folders become inputs."""
        return {seed: read_json(self.require(self.model(model, seed), "03_train") / "train.json") for seed in seeds}

    def mislabelled_models(self, models, seeds):
        """["a1, seed 0", ...]: trained models whose train.json differs from their folder and its manifest.

        Model, seed, levels and all parameters are compared: a precondition of every verdict.
        """
        pairs = [(model, seed) for model in models for seed in seeds]
        return [f"{model}, seed {seed}" for model, seed in pairs if not self._is_labelled(model, seed)]

    def _is_labelled(self, model, seed):
        folder = self.model(model, seed)
        report = read_json(self.require(folder / "train.json", "03_train"))
        settings = manifest.read_manifest(folder)["parameters"]
        stated = [report.get(name) for name in ["model", "seed", "levels", "parameters"]]
        return stated == [model, seed, settings.get("levels"), settings] and settings.get("model") == model

    def add_inputs(self, files):
        """Count files from outside the run as inputs."""
        self.inputs |= {os.path.relpath(file, self.folder): file_hash(file) for file in files}

    def write_manifest(self, settings, *folders, **more):
        """Write the manifest of each of these finished folders, the very last file there. more: further entries."""
        self.check_cell()
        code = notebook_hashes(self.root / f"notebooks/{self.notebook}.ipynb")
        own = {aside: folder for folder, aside in self.aside.items()}
        for folder in folders:
            place = manifest.place(own.get(folder, folder), self.folder)
            manifest.write_manifest(folder, place, self.notebook, settings.model_dump(), self.inputs, code, **more)
        self.settle()


def require_file(path, made_by):
    """Return path as it is, or raise MissingResult naming the notebook that makes it."""
    if not Path(path).exists():
        raise MissingResult(
            f"{path} does not exist yet.\nNotebook {made_by} makes it: run that one first, "
            "or let the graph find the order with `make demo` or `make run`."
        )
    return path


def result_folders(run_dir, settings):
    """The folders of all results of a study. settings: {file stem: parameters}, from parameters.load_profile."""
    folders = [run_dir / name for name in ["tokenizer", *ONCE.values()]]
    models = [p for p in settings.values() if isinstance(p, Train)]
    for stage in PER_MODEL.values():
        for p in models:
            if p.infill or stage != "infills":
                folders += [run_dir / stage / p.model / f"seed{seed}" for seed in p.seeds]
    return folders


def results(run_dir):
    """The folders of results in `run_dir`, which have a manifest, linked ones too."""
    found = [path.parent for path in walk(run_dir) if path.name == manifest.MANIFEST]
    return sorted(folder for folder in found if folder.relative_to(run_dir).parts[0] not in NO_RESULTS)


def provenance(parameters, **inputs):
    """How a result was made: parameters, input hashes, commit, versions, machine kind. inputs: name=path."""
    return {
        "parameters": parameters.model_dump(),
        "inputs": {name: file_hash(path) for name, path in inputs.items()},
        "commit": commit(),
        "versions": manifest.versions(),
        "machine": machine_description(),
    }


def commit():
    """The commit of the code, or None outside a repository."""
    process = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return process.stdout.strip() or None


def machine_description():
    """The kind of this machine, without its name."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def existing_experiment(name, root="."):
    """The Experiment `name`, of which some results exist. Raises MissingResult, naming those that exist."""
    runs = Path(root) / "runs"
    names = sorted({path.parent.name for mark in (".lock", "corpus") for path in runs.glob(f"*/{mark}")})
    if name in names:
        return Experiment(name, root)
    near = nearest_sentence(name, names, "EXPERIMENT={}")
    known = f"There is none in {runs} yet; make demo makes one."
    if names:
        known = f"There are: {', '.join(names)}."
    raise MissingResult(f"There is no experiment {name!r}. {near}{known}")
