"""Claims about the arguments of make: a misspelt one gets one message with the nearest name, before anything starts."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lib import errors
from lib.experiment import folders
from lib.workflow import arguments
from tests.helpers import tiny_study as tiny

CORRECT = {"EXPERIMENT": "mine", "CORPUS": "corpus.csv", "PARAMS": "params/demo", "PROFILE": "laptop"}
MISSPELT = {
    "PROFILE=laptp": "There is no profiles/laptp/machine.yaml. Nearest: PROFILE=laptop.",
    "PARAMS=params/dmo": "params/dmo holds no parameter files, which PARAMS=folder is to name. Nearest: params/demo.",
    "CORPUS=corpsu.csv": "There is no corpus file corpsu.csv. Nearest: corpus.csv. Expected: CORPUS=file",
    "EXPERIMENT=a/b": "EXPERIMENT='a/b': expected letters, digits, -, _ and . only. Try EXPERIMENT=a-b",
    "CORES=tow": "CORES=tow: expected a number of jobs at a time, such as CORES=8, or all.",
    "CORES=0": "CORES=0: expected a number of jobs",
    "ONLY=runs/mine/model/a1/seed0/manifest.json": "ONLY=runs/mine/model/a1/seed0/manifest.json is no result of this "
    "experiment. Nearest: ONLY=runs/mine/models/a1/seed0/manifest.json.",
}
NEED_AN_EXPERIMENT = ["status", "renew", "report", "paper", "memorisation", "share", "share-check", "export"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project without a run."""
    folder = tmp_path_factory.mktemp("project")
    for name in [*tiny.COPIED[:5], "profiles", "params"]:
        (shutil.copytree if (tiny.ROOT / name).is_dir() else shutil.copy2)(tiny.ROOT / name, folder / name)
    (folder / ".venv").symlink_to((tiny.ROOT / ".venv").resolve())
    (folder / "corpus.csv").write_text("writing_id,cefr,text\n")
    (folder / "runs/study/corpus").mkdir(parents=True)
    return folder


def make(project, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    options = {"cwd": project, "env": env | {"PYTHONPATH": str(tiny.ROOT)}, "capture_output": True, "text": True}
    return subprocess.run(["make", *words], **options)


@pytest.mark.parametrize("word", MISSPELT)
def test_a_misspelt_argument_gets_one_message_and_no_run(word, project):
    arguments_given = CORRECT | dict([word.split("=", 1)])
    done = make(project, "run", *(f"{name}={value}" for name, value in arguments_given.items()))
    message, *rest = [line for line in done.stderr.splitlines() if line and not line.startswith("make")]
    assert done.returncode and message.startswith(MISSPELT[word]) and not rest and not done.stdout
    assert not (project / "runs/mine").exists()


@pytest.mark.parametrize("target", NEED_AN_EXPERIMENT)
def test_a_misspelt_experiment_is_answered_with_existing_ones(target, project):
    done = make(project, target, "EXPERIMENT=sutdy", "TO=nowhere")
    assert done.returncode and not done.stdout
    assert done.stderr.startswith("There is no experiment 'sutdy'. Nearest: EXPERIMENT=study. There are: study.\nmake")


def test_without_any_experiment_the_way_to_one_is_named(tmp_path):
    with pytest.raises(errors.MissingResult, match="make demo makes one"):
        folders.existing_experiment("demo", tmp_path)


def test_a_run_of_other_parameters_does_not_land_in_the_demos_folder():
    for folder in ["params/efcamdat", "params/efcamdat/"]:
        assert arguments.complete(None, ["corpus.csv"], folder) == ("efcamdat", "corpus.csv")
    assert arguments.complete(None, [""], "params/demo") == ("demo", "runs/synthetic_corpus.csv")
    assert arguments.complete(None, [], "params/efcamdat") == ("efcamdat", "")
    with pytest.raises(errors.InvalidName, match="so that it does not replace the demo"):
        arguments.complete(None, ["corpus.csv"], "params/demo")


def test_arguments_of_make_reach_the_command_line_unchanged(project):
    done = make(project, "run", "EXPERIMENT=mine", 'CORPUS="it\'s" `id`; >x.csv', "PARAMS=params/efcamdat/")
    assert "There is no corpus file it's." in done.stderr and not done.stdout and not (project / "x.csv").exists()
    done = make(project, "run", "PARAMS=params/efcamdat/")
    assert done.stderr.startswith("Which corpus? make run EXPERIMENT=efcamdat CORPUS=file.csv\nmake")


def test_corpus_files_with_spaces_in_their_names_are_separated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["one part.csv", "other.csv"]:
        Path(name).touch()
    for corpus in ["'one part.csv' other.csv", '"one part.csv"  other.csv ', " one\\ part.csv other.csv"]:
        assert arguments.corpus_files(corpus) == ["one part.csv", "other.csv"]
    assert arguments.corpus_files("one part.csv") == ["one part.csv"], "one file needs no quotes"
    variables = arguments.environment("mine", "'one part.csv' other.csv", "params/demo", "laptop")
    assert json.loads(variables[arguments.VARIABLE])["corpus"] == ["one part.csv", "other.csv"]
    assert arguments.corpus_files(arguments.EMBEDDED) == [arguments.EMBEDDED] and arguments.corpus_files("") == []
    with pytest.raises(errors.CorpusNotFound, match="no corpus file othr.csv. Nearest: other.csv."):
        arguments.corpus_files("othr.csv other.csv")
    with pytest.raises(errors.CorpusNotFound, match="there is no folder away"):
        arguments.corpus_files("other.csv away/other.csv")


def test_a_profile_without_its_half_for_the_graph_is_refused(tmp_path, monkeypatch):
    for name in ["profiles", "params"]:
        shutil.copytree(name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    arguments.check("mine", arguments.EMBEDDED, "params/demo", "slurm")
    Path("profiles/slurm/config.yaml").unlink()
    with pytest.raises(errors.ParameterError, match="profiles/slurm has no config.yaml"):
        arguments.check("mine", arguments.EMBEDDED, "params/demo", "slurm")


def commands_of(*words):
    """What make would call."""
    return subprocess.run(["make", "-n", *words], capture_output=True, text=True, check=True).stdout


def test_an_environment_of_ones_own_is_used_as_it_is():
    said = commands_of("demo", "-W", "requirements.txt", "VENV=/my own/env")
    assert "-m lib demo" in said and "pip" not in said and "installing" not in said
    assert "installing into .venv" in commands_of("demo", "-W", "requirements.txt")


def test_make_lab_takes_a_port_and_opens_no_browser_if_told():
    said = commands_of("lab", "PORT=8889", "BROWSER=no", "IP=0.0.0.0")
    assert '--port="$PORT" --ip="$IP" --no-browser' in said
    assert "--port" not in (said := commands_of("lab", "PORT=", "IP=", "BROWSER=")) and "--no-browser" not in said
    assert ("--allow-root" in said) == (os.geteuid() == 0)
