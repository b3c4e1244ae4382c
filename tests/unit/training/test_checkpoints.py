"""Claims about an interrupted training: it resumes from the newest valid checkpoint and ends with the same weights."""

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

HOPELESS = {"learning_rate": 0.2, "patience": 2}  # better once, then worse: stops after a few evaluations


def killed(study, folder, fault, **changed):
    """Train in a process of its own that is killed by an injected fault."""
    pid = os.fork()
    if not pid:
        os.environ[fault_injection.VARIABLE] = fault
        try:
            study(folder, **changed)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    return folder


POINTS = {"step:2": None, "step:8": 6, "step:12": 10, "checkpoint:1": None, "checkpoint:3": 4}
POINTS |= {"write manifest.json:3": 4}


@pytest.mark.parametrize("fault", POINTS)
def test_a_killed_training_ends_with_the_same_weights(fault, study, whole, tmp_path):
    resumed = study(killed(study, tmp_path, fault))
    assert equal(resumed, whole) and resumed[2]["resumed_at"] == POINTS[fault]


def test_a_training_killed_twice_ends_with_the_same_state(study, whole, tmp_path):
    killed(study, tmp_path / "a", "step:5")
    assert equal(study(killed(study, tmp_path / "a", "step:5")), whole)
    study(tmp_path / "b")
    states = [torch.load(tmp_path / folder / "checkpoint-12/optimizer.pt", weights_only=True) for folder in "ab"]
    for moments in zip(*(state["state"].values() for state in states)):
        assert all(torch.equal(moments[0][name], moments[1][name]) for name in moments[0])


def test_early_stopping_counts_evaluations_across_a_resume(study, tmp_path):
    stopped = study(tmp_path / "whole", **HOPELESS)
    assert 2 < len(stopped[1]) < 7  # before the end
    for n in range(3, 2 * len(stopped[1]) - 2, 2):  # between any two evaluations after the first
        assert equal(study(killed(study, tmp_path / str(n), f"step:{n}", **HOPELESS), **HOPELESS), stopped)


def test_a_training_that_has_ended_is_not_repeated(study, whole, tmp_path):
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
    "a flipped bit in the weights": lambda folder: flipped(folder / "model.safetensors"),
    "a flipped bit in the optimiser": lambda folder: flipped(folder / "optimizer.pt"),
    "a truncated state": lambda folder: os.truncate(folder / "trainer_state.json", 100),
    "no random numbers": lambda folder: (folder / "rng_state.pth").unlink(),
    "an additional file": lambda folder: (folder / "scheduler2.pt").write_bytes(b""),
    "a truncated manifest": lambda folder: os.truncate(folder / "manifest.json", 30),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(damage, study, whole, tmp_path, capsys):
    killed(study, tmp_path, "step:8")
    DAMAGE[damage](tmp_path / "checkpoint-6")
    resumed = study(tmp_path)
    assert equal(resumed, whole) and resumed[2]["resumed_at"] == 4
    assert "checkpoint-6 is incomplete or damaged" in capsys.readouterr().out


def test_a_foreign_or_renamed_or_step_0_checkpoint_is_not_used(study, whole, tmp_path):
    folder = tmp_path / "seed0"
    killed(study, folder, "step:6")
    killed(study, tmp_path / "seed1", "step:8", seed=1)
    shutil.copytree(tmp_path / "seed1/checkpoint-6", folder / "checkpoint-6")
    for n in (0, 10):
        shutil.copytree(folder / "checkpoint-4", folder / f"checkpoint-{n}")
    resumed = study(folder)
    assert equal(resumed, whole) and resumed[2]["resumed_at"] == 4


def test_a_checkpoint_without_the_best_one_is_not_used(study, tmp_path):
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
def test_resuming_with_other_inputs_is_refused_naming_them(difference, study, whole, tmp_path):
    killed(study, tmp_path, "step:8")
    with pytest.raises(errors.IncompatibleCheckpoint, match="cut off at step 6") as refused:
        study(tmp_path, **CHANGED[difference])
    assert difference in str(refused.value) and f"rm -r '{tmp_path}'" in str(refused.value)
    assert equal(study(tmp_path), whole)  # the refusal deleted nothing


def test_three_checkpoints_are_kept_at_most(study, tmp_path):
    study(tmp_path)
    kept = sorted(tmp_path.glob("checkpoint-*"), key=checkpoints.step)
    assert [checkpoints.step(checkpoint) for checkpoint in kept][-2:] == [10, 12] and len(kept) <= 3
    assert read_json(tmp_path / "checkpoint-12/manifest.json")["seconds"] > 0
