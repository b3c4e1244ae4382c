"""Tests see no variable of the make that started them: make test exports EXPERIMENT=demo, for one."""

import os
import re

from tests.helpers.tiny_study import ROOT

for name in re.search("^export (PARAMS .*?)#", (ROOT / "Makefile").read_text(), re.M)[1].split():
    os.environ.pop(name, None)
