"""Claims about canaries: exposure is what it is by hand, repetition raises it, and a model is left as it is."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from lib.experiment import parameters
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment
from lib.memorisation import assessment, canaries, canary_training

FILE = Path("params/memorisation.yaml")
TINY = {"planted": 16, "repeats": [4, 16], "candidates": 200}
LIMITS = parameters.check(assessment.Limits, yaml.safe_load(FILE.read_text(encoding="utf-8")) | TINY, FILE)
SIZES = {"examples": 120, "examples_per_step": 8, "eval_every": 120, "n_layer": 1, "n_head": 2, "n_embd": 64}


@pytest.fixture(scope="module")
def rows(index):
    """60 texts of A1, ten of them valid."""
    split = np.where(np.arange(len(index)) < 50, "train", "valid")
    return index.assign(level="A1", split=split)


@pytest.fixture(scope="module")
def facts():
    settings = parameters.load("params/demo/a1.yaml").model_copy(update=SIZES)
    told = {"model": "a1", "seed": 0, "levels": ["A1"], "init_from": "scratch", "status": "trained"}
    return told | {"fingerprint": "f", "examples_seen": 120, "parameters": settings.model_dump()}


@pytest.fixture(scope="module")
def study(tmp_path_factory, tokenizer):
    run = Experiment("study", tmp_path_factory.mktemp("canaries"))
    tokenizer.save_pretrained(run.tokenizer)
    write_json({"seconds": 3}, run.model("a1", 0) / "clock.json")
    return run


@pytest.fixture(scope="module")
def found(study, rows, facts, drawing):
    return canary_training.all_of(study, {("a1", 0): facts}, rows, drawing, LIMITS, plant=True)


def test_exposure_by_hand():
    candidates = np.arange(1.0, 8)  # seven, and the canary itself
    bits = canaries.exposure([0.5, 1.5, 3.5, 9.0], candidates)
    assert bits == pytest.approx([3, 2, 1, 0])


@pytest.mark.parametrize("n", [7, 1000])
def test_what_was_never_planted_has_an_exposure_of_1_44_bits_by_chance(n):
    rng = np.random.default_rng(0)
    bits = [canaries.exposure(rng.random(1), rng.random(n))[0] for _ in range(4000)]
    assert np.mean(bits) == pytest.approx(canaries.chance(n), abs=0.08)
    assert canaries.chance(100_000) == pytest.approx(1 / np.log(2), abs=1e-3)


def test_canaries_are_all_different_and_take_as_many_texts_whatever_their_repetition(tokenizer):
    made = canaries.invent(tokenizer, LIMITS, ["A1", "A2"])
    assert made["text"].is_unique and set(made["level"]) == {"A1", "A2"}
    assert made["times"].value_counts().to_dict() == {-1: 200, 0: 16, 1: 16, 4: 4, 16: 1}
    copies = canaries.copies(made)
    assert copies["times"].value_counts().to_dict() == {1: 16, 4: 16, 16: 16}
    assert copies["text_id"].is_unique, "else all copies would have the same masks"


def test_a_tokenizer_without_words_is_refused_in_words(tokenizer, monkeypatch):
    monkeypatch.setattr(canaries, "WORDS", 10_000)
    with pytest.raises(ValueError, match="20000 are needed"):
        canaries.sentences(tokenizer, 3, 0)


def test_repetition_raises_exposure_and_without_any_there_is_none(found):
    table = {row["times"]: row for row in found["a1"]["table"]}
    never, once, four, sixteen = (table[times] for times in (0, 1, 4, 16))
    chance = canaries.chance(200)
    assert never["exposure_lo"] < chance < never["exposure_hi"]
    assert chance + 1 < once["exposure"] < four["exposure"] <= sixteen["exposure"]
    assert canaries.above_chance(found["a1"])["sensitive"]


def test_each_text_of_a_twin_is_seen_as_often_as_in_its_model(found, facts):
    one = found["a1"]
    assert (one["texts"], one["planted"]) == (50, 48)
    assert one["examples_a_text"] == pytest.approx(facts["examples_seen"] / 50, rel=0.03)


def test_nothing_is_left_of_a_twin_but_its_numbers(found, study):
    left = sorted(path.relative_to(study.folder).as_posix() for path in study.folder.rglob("*") if path.is_file())
    assert [name for name in left if not name.startswith("tokenizer/")] == [
        "memorisation/canaries/a1.json", "models/a1/seed0/clock.json"]  # fmt: skip
    assert read_json(study.folder / "memorisation/canaries/a1.json") == found["a1"]


def test_a_twin_is_trained_once_for_a_model(found, study, rows, facts, drawing, monkeypatch):
    monkeypatch.setattr(canary_training.loop, "train", lambda *_: pytest.fail("it was trained again"))
    asked = study, {("a1", 0): facts}, rows, drawing
    assert canary_training.all_of(*asked, LIMITS, plant=True) == found
    other = {("a1", 0): facts | {"fingerprint": "another"}}
    assert canary_training.all_of(study, other, rows, drawing, LIMITS, plant=False) == {}, "it was another model's twin"


def test_the_words_follow_the_numbers(found):
    assert "a1 remember texts that were there once" in canaries.told(found, LIMITS)
    forgetful = found["a1"] | {"table": [row | {"exposure": 1.4, "exposure_lo": 1.2, "exposure_hi": 1.6} if
                                         row["times"] < 16 else row for row in found["a1"]["table"]]}  # fmt: skip
    assert "a2 do not" in canaries.told({"a2": forgetful}, LIMITS)
    blind = forgetful | {"table": [row | {"exposure_lo": 1.2} for row in forgetful["table"]]}
    assert "a2 stay open" in canaries.told({"a2": blind}, LIMITS)
