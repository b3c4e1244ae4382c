"""Claims about what may leave: nothing without its reason."""

import pytest

from lib import errors
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.sharing import bundle


def test_weights_stay_unless_a_memorisation_report_lets_these_very_ones_go(tmp_path):
    run = Experiment("study", tmp_path)
    write_json({}, run.model("a1", 0) / bundle.WEIGHTS)
    known = {"weights": bundle.digest(run.model("a1", 0) / bundle.WEIGHTS), "why": "a gap"}
    for told in [{}, {"a1/seed0": known | {"weights": "other", "verdict": bundle.MAY}},
                 {"a1/seed0": known | {"verdict": "must stay"}}]:  # fmt: skip
        write_json({"models": told}, run.folder / "memorisation/memorisation.json")
        with pytest.raises(errors.Refused):
            bundle._may_leave(run, "a1", 0)
    allowed = {"models": {"a1/seed0": known | {"verdict": bundle.MAY}}}
    write_json(allowed, run.folder / "memorisation/memorisation.json")
    bundle._may_leave(run, "a1", 0)
