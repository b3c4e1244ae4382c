"""What make is asked for, looked at before anything starts: corpus, parameters, profile, and experiments of before."""

import itertools
import os
from pathlib import Path

from lib import errors
from lib.errors import NoCorpus
from lib.experiment import folders, parameters
from lib.formatting import nearest

EMBEDDED = "runs/synthetic_corpus.csv"  # the graph makes it where it is not there


def corpus_files(corpus):
    """The files that `corpus` names, parted by spaces, which may stand in names too: the longest run of words that is a
    file, then the rest. Raises NoCorpus, naming what is no file and the nearest that is one."""
    return _files(corpus.split(" "))


def _files(words):
    for n in range(len(words), 0, -1):
        file = " ".join(words[:n]).strip()
        if os.path.isfile(file) or file == EMBEDDED:
            return [file, *_files(words[n:])]
    if not any(words):
        return []
    name = " ".join(itertools.takewhile(lambda word: not os.path.isfile(word), words)).strip()
    found = _nearest(Path(name))
    raise NoCorpus(f"There is no corpus file {name}{found} Expected: CORPUS=file, or CORPUS='file file'.")


def _nearest(file):
    """What may have been meant by a file that is not there: the end of a sentence."""
    if file.is_dir():
        return ": that is a folder."
    if not file.parent.is_dir():
        return f": there is no folder {file.parent}."
    near = nearest(file.name, os.listdir(file.parent))
    return f". Nearest: {file.parent / near}." if near else "."


def check(experiment, corpus, folder, profile):
    """Raise ValueError in words if one of the four, as the Makefile passes them, is not there or not as it must be."""
    folders.Experiment(experiment, root=".")
    corpus_files(corpus)
    parameters.profile(folder)
    parameters.machine(profile)
    if not Path("profiles", profile, "config.yaml").exists():
        raise errors.ParameterError(f"profiles/{profile} has no config.yaml, which tells Snakemake where jobs run. "
                                    "Expected: one like profiles/laptop/config.yaml.")  # fmt: skip
