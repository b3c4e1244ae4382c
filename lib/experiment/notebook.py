"""How every notebook of the study begins: what it is asked is checked, and its run is found."""

import sys
from functools import partial

from lib.experiment import parameters, schemas
from lib.experiment.folders import Experiment

SCHEMAS = {"01_extract": schemas.Corpus, "02_mask": schemas.Masks, "03_train": schemas.Train}
SCHEMAS |= {"04_evaluate": schemas.Evaluate, "05_infill": schemas.Infill}
SCHEMAS |= dict.fromkeys(["06_compare", "07_hypotheses"], schemas.Hypotheses)


def start(cell, name):
    """(run, settings) of the notebook `name`. cell: its globals(), after the parameters cell.

    Raises ParameterError for what is misspelt, mistyped or out of range, InvalidName, and ExperimentRunning while
    another run goes on.
    """
    settings = parameters.from_cell(SCHEMAS[name], cell)
    return Experiment(cell["experiment"]).start(name), settings


def progress_bar(**how):
    """A progress bar for a cell: tqdm with `how`, as text that is gone at its end."""
    from tqdm import tqdm  # here, since what draws no bar does without

    return partial(tqdm, leave=False, file=sys.stdout, **how)
