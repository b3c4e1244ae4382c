"""Made-up perplexities whose right levels are known."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.experiment import parameters
from lib.experiment.files import read_yaml
from lib.identification import command


@pytest.fixture(scope="session")
def settings():
    checked = parameters.validate(command.Settings, read_yaml(command.PARAMETERS), command.PARAMETERS)
    return checked.model_copy(update={"resamples": 200})


@pytest.fixture(scope="session")
def surprisal():
    """Function of (levels of texts, separation, seed): a frame texts x levels of ln perplexity, noise of .3 included.

    separation: by how much the model of a text's own level is less surprised, in nats; 0 is chance.
    """

    def made_up(levels, separation, seed=0):
        rng = np.random.default_rng(seed)
        values = 3 + rng.normal(0, 0.3, (len(levels), len(LEVELS)))
        values[np.arange(len(levels)), pd.Index(LEVELS).get_indexer(levels)] -= separation
        return pd.DataFrame(values, columns=LEVELS)

    return made_up


@pytest.fixture(scope="session")
def balanced():
    """40 texts of each level, by 20 learners each."""
    return np.repeat(LEVELS, 40), np.repeat(np.arange(100), 2)
