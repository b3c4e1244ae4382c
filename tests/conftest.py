"""What holds for every test: no variable of make, one thread a process, and one server of warm starts for all."""

import os
import re

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: threads of tests side by side wait in turn

import pytest

from tests.helpers import warm_start
from tests.helpers.tiny_study import ROOT

for name in re.search("^export (PARAMS .*?)#", (ROOT / "Makefile").read_text(), re.M)[1].split():
    os.environ.pop(name, None)  # make test exports EXPERIMENT=demo, for one


def pytest_configure(config):
    """Start the server in the process that was called; the workers of xdist find it by a variable."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        serving = warm_start.server()
        serving.__enter__()
        config.add_cleanup(lambda: serving.__exit__(None, None, None))


@pytest.fixture
def warm():
    """Variables with which a process starts warm: a fork of the server."""
    return warm_start.variables()
