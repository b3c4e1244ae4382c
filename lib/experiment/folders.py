"""Where an experiment keeps its files, which of them a notebook may use, and how a result was made."""

import os
import platform
import re
import subprocess
from pathlib import Path

from lib.errors import InvalidName, MissingResult
from lib.experiment import lock, manifest, parameters
from lib.experiment.code_hashes import notebook_hashes
from lib.experiment.files import file_hash, read_json
from lib.experiment.schemas import Masks, Train
from lib.formatting import nearest_sentence

ONCE = {"01_extract": "corpus", "02_mask": "masks", "06_compare": "compare", "07_hypotheses": "hypotheses"}
MISPLACED = "misplaced"  # folder of results that were found in another result's place
NO_RESULTS = {"checkpoints", MISPLACED}  # checkpoints have manifests of another kind
PER_MODEL = {"03_train": "models", "04_evaluate": "evaluation", "05_infill": "infills"}


class Experiment:
    """The files of one experiment under runs/<name>/ and figures/<name>/.

    name: of the experiment, a folder name; anything else raises InvalidName. root: the repository relative to the
    current folder (notebooks run in notebooks/, so ".." there).
    """

    def __init__(self, name, root=".."):
        if not re.fullmatch(r"\w[\w.-]*", name):  # it is part of paths and of the graph
            near = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "mine"
            raise InvalidName(f"EXPERIMENT={name!r}: expected letters, digits, -, _ and . only. Try EXPERIMENT={near}")
        self.name = name
        self.root = Path(root)
        self.inputs = {}
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
        """Say which notebook this is; returns self.

        Raises ExperimentRunning while a run goes on to which this process does not belong.
        """
        lock.refuse_another(self.folder)
        self.notebook = notebook
        notebook_hashes.cache_clear()  # a kernel may run a notebook again after it was edited
        self.code = notebook_hashes(self.root / f"notebooks/{notebook}.ipynb")  # before anybody edits it meanwhile
        return self

    def require(self, path, made_by):
        """Return path, a file or folder of this run, if its manifest certifies it; from then on it is an input.

        Raises MissingResult or StaleResult, with the reason and the command that goes on.
        """
        self.inputs |= manifest.check(require_file(path, made_by), made_by, self.folder)
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
        for folder in folders:
            manifest.write_manifest(
                folder, self.notebook, settings.model_dump(), self.inputs, self.folder, self.code, **more
            )


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


def walk(run_dir):
    """Yield all files and folders below run_dir, also behind links to other disks."""
    for folder, names, files in os.walk(run_dir, followlinks=True):
        yield from (Path(folder, name) for name in [*names, *files])
        names[:] = [name for name in names if not _leads_upwards(os.path.join(folder, name))]


def _leads_upwards(path):
    """Is this a link to a folder that contains it? It would be followed for ever."""
    above = Path(path).parent.resolve()
    return os.path.islink(path) and above.is_relative_to(os.path.realpath(path))


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
