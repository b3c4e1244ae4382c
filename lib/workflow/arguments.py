"""What make is asked for, looked at before anything starts: corpus, parameters, profile, and experiments of before."""

import json
import os
import shlex
from pathlib import Path

from lib.errors import CorpusNotFound, InvalidName, ParameterError
from lib.experiment import folders, parameters
from lib.formatting import nearest

DEMO = "demo"
EMBEDDED = "runs/synthetic_corpus.csv"  # the graph makes it where it is not there


def complete(experiment, corpus, params):
    """(experiment, corpus as one line) as they are meant where one of them, or both, are not said.

    corpus: a list of files, or of what CORPUS names. An experiment is called as its folder of parameters, and the demo
    has the embedded corpus. Raises InvalidName where another corpus would take the demo's name unasked.
    """
    name = experiment or Path(params).name
    line = corpus[0] if len(corpus) == 1 else shlex.join(corpus)
    line = line or (EMBEDDED if name == DEMO else "")
    if name == DEMO and not experiment and line != EMBEDDED:
        asked = "Under what name, so that it does not replace the demo?"
        raise InvalidName(f"{asked} make run EXPERIMENT=mine CORPUS={line!r}")
    return name, line


def config(experiment, corpus, params, profile):
    """What the Snakefile is told, as words of Snakemake's --config."""
    files = corpus_files(corpus)  # as a list in JSON, since Snakemake strips quotes at the ends of a value
    asked = {"experiment": experiment, "corpus": files and json.dumps(files), "params": params, "profile": profile}
    return [f"{key}={value}" for key, value in asked.items() if value]


def corpus_files(corpus):
    """The files that `corpus` names: one, or several parted by spaces, each in quotes if a space stands in its name.

    Raises CorpusNotFound, naming what is no file and the nearest that is one.
    """
    files = [corpus] if _there(corpus) else _words(corpus)
    for file in files:
        if not _there(file):
            found = _nearest(Path(file))
            raise CorpusNotFound(f"There is no corpus file {file}{found} Expected: CORPUS=file, or CORPUS='file file'.")
    return files


def _there(file):
    return os.path.isfile(file) or file == EMBEDDED


def _words(corpus):
    try:
        return shlex.split(corpus)
    except ValueError:  # a quote that is never closed: it belongs to a name
        return [corpus]


def _nearest(file):
    """What may have been meant by a file that is not there: the end of a sentence."""
    if file.is_dir():
        return ": that is a folder."
    if not file.parent.is_dir():
        return f": there is no folder {file.parent}."
    near = nearest(file.name, os.listdir(file.parent))
    return f". Nearest: {file.parent / near}." if near else "."


def check(experiment, corpus, folder, profile):
    """Raise InvalidName, CorpusNotFound or ParameterError if one of the four is not there or not as it must be."""
    folders.Experiment(experiment, root=".")
    if not corpus_files(corpus):
        raise CorpusNotFound(f"Which corpus? make run EXPERIMENT={experiment} CORPUS=file.csv")
    parameters.load_profile(folder)
    parameters.load_machine(profile)
    if not Path("profiles", profile, "config.yaml").exists():
        raise ParameterError(f"profiles/{profile} has no config.yaml, which tells Snakemake where jobs run. "
                             "Expected: one like profiles/laptop/config.yaml.")  # fmt: skip
