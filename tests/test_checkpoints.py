"""Claims about a training that is cut off: it goes on from the newest sound checkpoint, to the same weights."""

import os
import shutil
import signal

import pytest
import torch
from transformers import set_seed

from lib import errors
from lib.errors import CutOff
from lib.evaluation import scoring
from lib.experiment import fault_injection, parameters
from lib.experiment.files import read_json
from lib.masking import frozen_masks
from lib.models import initialization, loading
from lib.training import checkpoints, loop
from lib.training.dataset import Steps
from lib.training.trainer import WARNINGS, CarefulTrainer

SMALL = {"examples": 96, "examples_per_step": 8, "eval_every": 16, "n_layer": 1, "n_head": 2, "n_embd": 32}
SMALL |= {"dropout": 0.1}  # so that random numbers count
HOPELESS = {"learning_rate": 0.9, "patience": 2}  # stops after a few looks


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """A fork may not use the threads of its parent."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def study(index, drawing, tokenizer, first_special):
    """train(folder, seed, **changed parameters): (fingerprint, curve, how)."""
    held_out = index.iloc[48:]
    frozen = frozen_masks.freeze(held_out, drawing, "mix", 1)
    valid = scoring.frozen_examples(held_out, frozen, first_special)

    def train(folder, seed=0, inputs=None, **changed):
        settings = parameters.load("params/demo/a1.yaml").model_copy(update=SMALL | changed)
        set_seed(seed)
        steps = Steps(index.iloc[:48], drawing, settings, seed, first_special)
        model = initialization.model(settings, tokenizer, 256)
        curve, how = loop.train(model, steps, valid, settings, seed, folder, "test", inputs or {"corpus": "abc"})
        return loading.fingerprint(model), curve, how

    return train


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """What the training comes to undisturbed: 12 steps, a look and a checkpoint at every second one."""
    return study(tmp_path_factory.mktemp("whole"))


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


def equal(one, other):
    return one[0] == other[0] and one[1].equals(other[1])


POINTS = {"step:2": None, "step:8": 6, "step:12": 10, "checkpoint:1": None, "checkpoint:3": 4}
POINTS |= {"write manifest.json:3": 4}


@pytest.mark.parametrize("where", POINTS)
def test_a_killed_training_ends_with_the_same_weights(where, study, whole, tmp_path):
    again = study(killed(study, tmp_path, where))
    assert equal(again, whole) and again[2]["resumed_at"] == POINTS[where]


@pytest.mark.parametrize("number", WARNINGS)
def test_a_training_that_is_warned_saves_at_once_and_ends_with_the_same_weights_and_curve(
    number, study, whole, tmp_path, monkeypatch
):
    one, steps = CarefulTrainer._one, []

    def warned(self, *batch):
        steps.append(self.state.global_step)
        if steps in ([0], [*range(8)]):  # before the first look, and between two
            signal.raise_signal(number)
        return one(self, *batch)

    monkeypatch.setattr(CarefulTrainer, "_one", warned)
    before = signal.getsignal(number)
    for at in [1, 8]:
        with pytest.raises(CutOff, match=f"Saved at step {at}"):
            study(tmp_path)
    again = study(tmp_path)
    assert equal(again, whole) and again[2]["resumed_at"] == 8 and signal.getsignal(number) == before


def test_a_training_killed_twice_ends_with_the_same_weights_and_optimiser(study, whole, tmp_path):
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
    with pytest.raises(errors.ForeignCheckpoint, match="cut off at step 6") as refused:
        study(tmp_path, **CHANGED[difference])
    assert difference in str(refused.value) and f"rm -r '{tmp_path}'" in str(refused.value)
    assert equal(study(tmp_path), whole)  # and nothing was lost by asking


def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_checkpoint(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:8:nan")
    monkeypatch.setattr(fault_injection, "_times", {})
    with pytest.raises(FloatingPointError, match="at step 7"):
        study(tmp_path)
    assert checkpoints.step(checkpoints.newest(tmp_path)) == 6


def test_when_memory_runs_out_the_step_is_cut_and_no_example_is_lost(study, whole, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:5:oom")
    monkeypatch.setattr(fault_injection, "_times", {})
    _, curve, how = study(tmp_path, dropout=0.0)
    monkeypatch.delenv(fault_injection.VARIABLE)
    _, undisturbed, usual = study(tmp_path / "whole", dropout=0.0)
    assert (how["micro_batches"], usual["micro_batches"]) == (2, 1)
    assert curve["examples"].tolist() == undisturbed["examples"].tolist()
    assert (curve - undisturbed).abs().max().max() < 1e-3  # the sums are the same, rounded in another order


def test_when_memory_always_runs_out_it_says_so_after_the_last_halving(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:0:oom")
    with pytest.raises(MemoryError, match="one example at a time"):
        study(tmp_path)


def test_three_checkpoints_are_kept_at_most(study, tmp_path):
    study(tmp_path)
    kept = sorted(tmp_path.glob("checkpoint-*"), key=checkpoints.step)
    assert [checkpoints.step(one) for one in kept][-2:] == [10, 12] and len(kept) <= 3
    assert read_json(tmp_path / "checkpoint-12/manifest.json")["seconds"] > 0
