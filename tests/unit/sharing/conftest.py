"""The finished demo, as report, paper and bundle see it."""

import pytest

from lib.experiment.folders import Experiment
from lib.sharing.aggregates import Study


@pytest.fixture(scope="module")
def study():
    return Study(Experiment("demo", root="."))
