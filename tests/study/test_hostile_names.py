"""Claims about names: whatever is in a name of a file, a folder or an argument, no shell and no graph reads it."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lib import errors
from lib.experiment import parameters
from lib.workflow import arguments
from tests.helpers import tiny_study as tiny

ACTS = "touch acted"  # what a shell would do if it read the name
NAMES = ["it's", 'a "b"', "a b", "$HOME", "$(touch acted)", "`touch acted`", "a; touch acted", "a & touch acted", "{x}"]
NAMES += [
    "{{x}}",
    "{",
    "#a",
    "a:b",
    "a\nb",
    "größer 漢字 👩",
    "2024",
    "1e5",
    "null",
    "-r",
    "*",
    "~",
    "a\\b",
    "%s",
    "!x",
]
EVERYTHING = 'it\'s "1" $HOME $(touch acted) `touch acted`; # {x} {{y}} 漢字 👩 \n -r *'
VARIABLES = ["EXPERIMENT", "CORPUS", "PARAMS", "PROFILE", "ONLY", "CORES"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project without a run, in a folder with a hostile name."""
    folder = tmp_path_factory.mktemp("project") / EVERYTHING.replace("/", "")
    tiny.workspace(folder)
    return folder


def call(project, *command):
    env = tiny.environment(project, PYTHONPATH=".:..")  # relative, since it is split at colons
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("variable", "origin"), [*((name, "argument") for name in VARIABLES), ("PARAMS", "environment")]
)
def test_a_hostile_argument_of_make_is_refused_as_it_is(variable, origin, project):
    given = {"EXPERIMENT": "mine", "CORPUS": "corpus.csv", "PARAMS": "params/tiny", variable: EVERYTHING}
    words = [f"{name}={value}" for name, value in given.items()]
    command = ["make", "run", *words] if origin == "argument" else ["env", *words, "make", "run"]
    done = call(project, *command)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    first = "it's" if variable == "CORPUS" else "touch acted"  # a corpus may be several files
    assert first in done.stderr.replace("\\", ""), done.stderr
    assert not list(project.rglob("acted")) and not (project / "runs/mine").exists()


@pytest.mark.parametrize("target", ["status", "share-check", "export"])
def test_other_targets_read_no_name_either(target, project):
    variables = ["EXPERIMENT", "FILES", "MODEL", "TO"]
    done = call(project, "make", target, *(f"{name}={EVERYTHING}" for name in variables))
    assert done.returncode == 2 and not list(project.rglob("acted")) and "Traceback" not in done.stderr, done.stderr


def shell_commands(project, corpus, params, experiment="2024"):
    """The words of each command that the graph would give to a shell."""
    env = tiny.environment(project, PYTHONPATH=".:..") | arguments.environment(experiment, corpus, params, "laptop")
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "-c1", "--nolock", "--forceall"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    printed = done.stdout + done.stderr
    starts = [i for i in range(len(printed)) if printed.startswith("exec ", i)]
    return [shlex.split(printed[i:].split(" --attempt ")[0]) for i in starts]


def test_every_hostile_name_reaches_the_job_as_one_word(project, monkeypatch):
    monkeypatch.chdir(project)
    for name in NAMES:
        params = f"params/{name}"
        shutil.copytree("params/tiny", params, dirs_exist_ok=True)
        Path(f"{name}.csv").touch()
    for name in [*NAMES[:3], "a\nb {x} $(touch acted) 漢字 👩 #"]:
        params = f"params/{name}"
        shutil.copytree("params/tiny", params, dirs_exist_ok=True)
        Path(f"{name}.csv").touch()
        commands = shell_commands(project, f"{name}.csv", params)
        assert len(commands) == 13
        extract = next(words for words in commands if "notebooks/01_extract.ipynb" in words)
        assert f"--settings={params}/corpus.yaml" in extract and "--experiment=2024" in extract
        values = [yaml.safe_load(word.removeprefix("--value=")) for word in extract if word.startswith("--value=")]
        assert {"corpus": [f"../{name}.csv"]} in values and len(values) == 2
    assert not list(project.rglob("acted"))


@pytest.mark.parametrize("name", ["it's", "a b", "$(touch acted)", "a.b", "{x}", "-r", "_a", "größer", "a\n", ""])
def test_a_model_needs_a_plain_name(name, tmp_path):
    values = parameters.load_file("params/demo/a1.yaml").model_dump()
    with pytest.raises(errors.ParameterError, match="model"):
        parameters.validate(parameters.Train, values | {"model": name}, "file")
    assert parameters.validate(parameters.Train, values | {"model": "2024"}, "file").model == "2024"


def test_a_run_works_in_a_hostile_folder_with_hostile_names(project):
    corpus, params = f"{EVERYTHING}.csv", f"params/{EVERYTHING}"
    shutil.copytree(project / "params/tiny", project / params, dirs_exist_ok=True)
    shutil.copy2(project / "corpus.csv", project / corpus)
    temporary = project / "tmp:" / ("long" * 40)
    temporary.mkdir(parents=True)
    words = ["make", "run", "EXPERIMENT=2024", f"CORPUS={corpus}", f"PARAMS={params}"]
    env = {"TMPDIR": str(temporary), "PYTHONPATH": ".:..", "ONLY": "runs/2024/masks/manifest.json"}
    old_umask = os.umask(0)
    try:
        done = tiny.make(project, words=words, **env)
    finally:
        os.umask(old_umask)
    assert done.returncode == 0, done.stdout[-3000:]
    assert not list(project.rglob("acted"))
    modes = {path.stat().st_mode & 0o077 for path in [project / "runs", *(project / "runs").rglob("*")]}
    assert modes == {0}, "private, whatever the umask"
