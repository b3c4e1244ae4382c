"""Claims about a training that is cut off: it goes on from the newest sound checkpoint, to the same weights."""

import os
import shutil
import signal

import pytest
import torch

from lib import errors
from lib.experiment import fault_injection
from lib.experiment.files import read_json
from lib.training import checkpoints
from tests.helpers.killed_training import equal

HOPELESS = {"learning_rate": 0.9, "patience": 2}  # stops after a few looks


def killed(study, folder, where, **how):
    """Train in a process of its own that is killed at a named point."""
    pid = os.fork()
    if not pid:
        os.environ[fault_injection.VARIABLE] = where
        try:
            study(folder, **how)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    return folder


POINTS = {"step:2": None, "step:8": 6, "step:12": 10, "checkpoint:1": None, "checkpoint:3": 4}
POINTS |= {"write manifest.json:3": 4}


@pytest.mark.parametrize("where", POINTS)
def test_a_killed_training_ends_with_the_same_weights(where, study, whole, tmp_path):
    again = study(killed(study, tmp_path, where))
    assert equal(again, whole) and again[2]["resumed_at"] == POINTS[where]


def test_a_training_killed_twice_ends_with_the_same_state(study, whole, tmp_path):
    killed(study, tmp_path / "a", "step:5")
    assert equal(study(killed(study, tmp_path / "a", "step:5")), whole)
    study(tmp_path / "b")
    states = [torch.load(tmp_path / folder / "checkpoint-12/optimizer.pt", weights_only=True) for folder in "ab"]
    for moments in zip(*(state["state"].values() for state in states)):
        assert all(torch.equal(moments[0][name], moments[1][name]) for name in moments[0])


def test_early_stopping_remembers_what_it_has_seen(study, tmp_path):
    stopped = study(tmp_path / "whole", **HOPELESS)
    assert 2 < len(stopped[1]) < 7  # before the end
    for n in range(3, 2 * len(stopped[1]) - 2, 2):  # in each look but the first
        assert equal(study(killed(study, tmp_path / str(n), f"step:{n}", **HOPELESS), **HOPELESS), stopped)


def test_a_training_that_had_ended_is_not_done_again(study, whole, tmp_path):
    study(tmp_path)
    os.environ[fault_injection.VARIABLE] = "step:1:nan"  # the first step would raise
    try:
        assert equal(study(tmp_path), whole)
    finally:
        del os.environ[fault_injection.VARIABLE]


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGE = {
    "a flipped bit in the weights": lambda one: flipped(one / "model.safetensors"),
    "a flipped bit in the optimiser": lambda one: flipped(one / "optimizer.pt"),
    "a truncated state": lambda one: os.truncate(one / "trainer_state.json", 100),
    "no random numbers": lambda one: (one / "rng_state.pth").unlink(),
    "a file more": lambda one: (one / "scheduler2.pt").write_bytes(b""),
    "a torn manifest": lambda one: os.truncate(one / "manifest.json", 30),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(damage, study, whole, tmp_path, capsys):
    killed(study, tmp_path, "step:8")
    DAMAGE[damage](tmp_path / "checkpoint-6")
    again = study(tmp_path)
    assert equal(again, whole) and again[2]["resumed_at"] == 4
    assert "checkpoint-6 is incomplete or damaged" in capsys.readouterr().out


def test_a_foreign_or_renamed_or_step_0_checkpoint_is_not_used(study, whole, tmp_path):
    killed(study, tmp_path / "own", "step:6")
    killed(study, tmp_path / "other", "step:8", seed=1)
    shutil.copytree(tmp_path / "other/checkpoint-6", tmp_path / "own/checkpoint-6")
    for n in (0, 10):
        shutil.copytree(tmp_path / "own/checkpoint-4", tmp_path / f"own/checkpoint-{n}")
    again = study(tmp_path / "own")
    assert equal(again, whole) and again[2]["resumed_at"] == 4


def test_a_checkpoint_without_the_best_one_is_of_no_use(study, tmp_path):
    best = checkpoints.best(checkpoints.newest(killed(study, tmp_path, "step:5", **HOPELESS)))
    flipped(best / "model.safetensors")
    whole = study(tmp_path / "whole", **HOPELESS)
    assert equal(study(tmp_path, **HOPELESS), whole)


CHANGED = {
    "learning_rate was 0.004, is 0.002": {"learning_rate": 2e-3},
    "seed was 0, is 1": {"seed": 1},
    "corpus was abc, is abd": {"inputs": {"corpus": "abd"}},
}


@pytest.mark.parametrize("difference", CHANGED)
def test_going_on_with_something_else_is_refused_naming_it(difference, study, whole, tmp_path):
    killed(study, tmp_path, "step:8")
    with pytest.raises(errors.IncompatibleCheckpoint, match="cut off at step 6") as refused:
        study(tmp_path, **CHANGED[difference])
    assert difference in str(refused.value) and f"rm -r '{tmp_path}'" in str(refused.value)
    assert equal(study(tmp_path), whole)  # and nothing was lost by asking


def test_three_checkpoints_are_kept_at_most(study, tmp_path):
    study(tmp_path)
    kept = sorted(tmp_path.glob("checkpoint-*"), key=checkpoints.step)
    assert [checkpoints.step(one) for one in kept][-2:] == [10, 12] and len(kept) <= 3
    assert read_json(tmp_path / "checkpoint-12/manifest.json")["seconds"] > 0
