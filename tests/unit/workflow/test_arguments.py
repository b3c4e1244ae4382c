"""Claims about misspelt words behind make: one plain message with the nearest name, before anything starts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lib import errors
from lib.experiment import folders
from lib.workflow import arguments
from tests.helpers import tiny_study as tiny

SOUND = {"EXPERIMENT": "mine", "CORPUS": "corpus.csv", "PARAMS": "params/demo", "PROFILE": "laptop"}
MISSPELT = {
    "PROFILE=laptp": "There is no profiles/laptp/machine.yaml. Nearest: PROFILE=laptop.",
    "PARAMS=params/dmo": "params/dmo holds no parameter files, which PARAMS=folder is to name. Nearest: params/demo.",
    "CORPUS=corpsu.csv": "There is no corpus file corpsu.csv. Nearest: corpus.csv. Expected: CORPUS=file",
    "EXPERIMENT=a/b": "EXPERIMENT='a/b': expected letters, digits, -, _ and . only. Try EXPERIMENT=a-b",
}
ABOUT_WHAT_IS_THERE = ["status", "renew", "report", "paper", "memorisation", "share", "share-check", "export"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The project without a run."""
    folder = tmp_path_factory.mktemp("asked")
    for name in [*tiny.COPIED[:5], "profiles", "params"]:
        (shutil.copytree if (tiny.ROOT / name).is_dir() else shutil.copy2)(tiny.ROOT / name, folder / name)
    (folder / ".venv").symlink_to((tiny.ROOT / ".venv").resolve())
    (folder / "corpus.csv").write_text("writing_id,cefr,text\n")
    (folder / "runs/study/corpus").mkdir(parents=True)
    return folder


def make(place, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    how = {"cwd": place, "env": env | {"PYTHONPATH": str(tiny.ROOT)}, "capture_output": True, "text": True}
    return subprocess.run(["make", *words], **how)


@pytest.mark.parametrize("word", MISSPELT)
def test_a_misspelt_word_gets_one_message_and_starts_nothing(word, place):
    asked = SOUND | dict([word.split("=")])
    done = make(place, "run", *(f"{name}={value}" for name, value in asked.items()))
    said, *rest = [line for line in done.stderr.splitlines() if line and not line.startswith("make")]
    assert done.returncode and said.startswith(MISSPELT[word]) and not rest and not done.stdout
    assert not (place / "runs/mine").exists()


@pytest.mark.parametrize("target", ABOUT_WHAT_IS_THERE)
def test_a_misspelt_experiment_is_answered_with_those_there_are(target, place):
    done = make(place, target, "EXPERIMENT=sutdy", "TO=nowhere")
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


def test_the_words_behind_make_reach_the_command_line_as_they_are(place):
    done = make(place, "run", "EXPERIMENT=mine", 'CORPUS="it\'s" `id`; >x.csv', "PARAMS=params/efcamdat/")
    assert "There is no corpus file it's." in done.stderr and not done.stdout and not (place / "x.csv").exists()
    done = make(place, "run", "PARAMS=params/efcamdat/")
    assert done.stderr.startswith("Which corpus? make run EXPERIMENT=efcamdat CORPUS=file.csv\nmake")


def test_files_with_spaces_in_their_names_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["one part.csv", "other.csv"]:
        Path(name).touch()
    for corpus in ["'one part.csv' other.csv", '"one part.csv"  other.csv ', " one\\ part.csv other.csv"]:
        assert arguments.corpus_files(corpus) == ["one part.csv", "other.csv"]
    assert arguments.corpus_files("one part.csv") == ["one part.csv"], "one file needs no quotes"
    told = arguments.config("mine", "'one part.csv' other.csv", "params/demo", "laptop")
    assert told[1] == 'corpus=["one part.csv", "other.csv"]'
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
