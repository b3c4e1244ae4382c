"""How every notebook of the study begins: its parameters are checked, and its experiment is opened."""

import sys
from functools import partial

from lib.experiment import parameters, schemas
from lib.experiment.folders import Experiment
from lib.experiment.processes import write_private_files

SCHEMAS = {"01_extract": schemas.Corpus, "02_mask": schemas.Masks, "03_train": schemas.Train}
SCHEMAS |= {"04_evaluate": schemas.Evaluate, "05_infill": schemas.Infill}
SCHEMAS |= dict.fromkeys(["06_compare", "07_hypotheses"], schemas.Hypotheses)


def start(cell, name):
    """(run, settings) of the notebook `name`. cell: its globals(), after the parameters cell.

    From here on the notebook writes files that only its user may read. Raises ParameterError for a parameter that is
    misspelt, mistyped or out of range, InvalidName, and ExperimentRunning while another run of the experiment goes on.
    """
    write_private_files()
    settings = parameters.from_cell(SCHEMAS[name], cell)
    return Experiment(cell["experiment"]).start(name), settings


def progress_bar(**options):
    """A progress bar for a cell, as text that disappears at the end. options: of tqdm."""
    from tqdm import tqdm  # here, since few notebooks need it

    return partial(tqdm, leave=False, file=sys.stdout, **options)
