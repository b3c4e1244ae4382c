"""The arguments of make, checked before anything starts: experiment, corpus, parameters, profile, result, cores.

They reach every program as an argument or in an environment variable, and never as text of a shell command.
"""

import json
import os
import shlex
import time
from pathlib import Path

from lib.errors import CorpusNotFound, InvalidName, ParameterError
from lib.experiment import folders, manifest, parameters
from lib.formatting import format_hours, nearest, nearest_sentence

DEMO = "demo"
EMBEDDED = "runs/synthetic_corpus.csv"  # made by the graph where it is missing
VARIABLE = "ILM_CEFR_SETTINGS"  # environment variable: the arguments of a run as JSON, for the Snakefile


def complete(experiment, corpus, params):
    """(experiment, corpus in one line) with defaults for what is not given.

    corpus: a list of files, or of values of CORPUS. An experiment is named as its folder of parameters, and the demo
    has the embedded corpus. Raises InvalidName where another corpus would replace the demo's without being named so.
    """
    name = experiment or Path(params).name
    line = corpus[0] if len(corpus) == 1 else shlex.join(corpus)
    line = line or (EMBEDDED if name == DEMO else "")
    if name == DEMO and not experiment and line != EMBEDDED:
        question = "Under what name, so that it does not replace the demo?"
        raise InvalidName(f"{question} make run EXPERIMENT=mine CORPUS={shlex.quote(line)}")
    return name, line


def environment(experiment, corpus, params, profile):
    """{variable: value} by which the Snakefile has the arguments of a run; of those that are given."""
    given = {"experiment": experiment, "corpus": corpus_files(corpus), "params": params, "profile": profile}
    return {VARIABLE: json.dumps({name: value for name, value in given.items() if value})}


def from_environment():
    """The arguments of the run that started this process, a dict; empty where there is none."""
    return json.loads(os.environ.get(VARIABLE, "{}"))


def corpus_files(corpus):
    """The files that `corpus` names: one, or several separated by spaces, quoted if a name contains spaces.

    Raises CorpusNotFound, naming what is no file and the nearest name of a file.
    """
    files = split_names(corpus, _is_file)
    for file in files:
        if not _is_file(file):
            near = _nearest(Path(file))
            raise CorpusNotFound(f"There is no corpus file {file}{near} Expected: CORPUS=file, or CORPUS='file file'.")
    return files


def split_names(line, exists=os.path.exists):
    """The names in a line: the line itself if something of this name exists, else as a shell would split it."""
    if exists(line):
        return [line]
    try:
        return shlex.split(line)
    except ValueError:  # a quote that is never closed: it belongs to a name
        return [line]


def _is_file(file):
    return os.path.isfile(file) or file == EMBEDDED


def _nearest(file):
    """The end of a sentence about a file that does not exist: the name that may have been meant."""
    if file.is_dir():
        return ": that is a folder."
    if not file.parent.is_dir():
        return f": there is no folder {file.parent}."
    near = nearest(file.name, os.listdir(file.parent))
    return f". Nearest: {file.parent / near}." if near else "."


def check(experiment, corpus, folder, profile, only=None, cores=None):
    """Raise InvalidName, CorpusNotFound or ParameterError if an argument is wrong. folder: of parameters."""
    run = folders.Experiment(experiment, root=".")
    if not corpus_files(corpus):
        raise CorpusNotFound(f"Which corpus? make run EXPERIMENT={experiment} CORPUS=file.csv")
    settings = parameters.load_profile(folder)
    _refuse_the_future([*filter(os.path.exists, corpus_files(corpus)), *Path(folder).glob("*.yaml")])
    parameters.load_machine(profile)
    if not Path("profiles", profile, "config.yaml").exists():
        raise ParameterError(
            f"profiles/{profile} has no config.yaml, which tells Snakemake where jobs run. "
            "Expected: one like profiles/laptop/config.yaml."
        )
    if only:
        _check_result(only, run.folder, settings)
    if cores and not (cores == "all" or cores.isdecimal() and int(cores) > 0):
        raise ParameterError(f"CORES={cores}: expected a number of jobs at a time, such as CORES=8, or all.")


def _refuse_the_future(files):
    """Snakemake takes a result for out of date as long as a file that it was made from is newer."""
    for file in files:
        ahead = os.path.getmtime(file) - time.time()
        if ahead > 1:
            raise ParameterError(
                f"{file} has a time that is {format_hours(ahead / 3600)} ahead of the clock, which was set back, or is "
                f"another machine's. To go on: touch {shlex.quote(str(file))}"
            )


def _check_result(only, run_dir, settings):
    known = [str(folder / manifest.MANIFEST) for folder in folders.result_folders(run_dir, settings)]
    if only not in known:
        near = nearest_sentence(only, known, "ONLY={}")
        raise ParameterError(f"ONLY={only} is no result of this experiment. {near}Expected: such as ONLY={known[0]}")
