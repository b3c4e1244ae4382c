"""Claims about the preconditions of verdicts: each fault is found, and makes all verdicts invalid."""

import pandas as pd
import pytest

from lib.evaluation.scoring import KEYS
from lib.hypotheses import decision_rules, validity
from tests.helpers.contrasts import PARAMS, everything


def study(**changes):
    """Arguments of preconditions that all hold, with changes."""
    items = pd.DataFrame(
        {
            "text_id": ["t1", "t2"],
            "learner_id": ["x", "y"],
            "mask_type": "training_mix",
            "mask_set": 0,
            "n_tokens": [5, 7],
        }
    )
    train = pd.DataFrame({"text_id": ["t8", "t9"], "learner_id": ["z", ""]})
    sound = {
        "scores": pd.concat([items.assign(model=m, seed=s) for m in ("a1", "general") for s in (0, 1)]),
        "mask_hashes": {"a1": "m", "general": "m", "02_mask": "m"},
        "split_ids": {"a1": "s", "general": "s"},
        "truncated": {"a1": 0, "general": 0},
        "training": {"a1": train, "general": train},
        "weights": {"a1/0": "w0", "a1/1": "w1", "general/0": "w2"},
        "step0": {"a1/0": "s", "a1/1": "s1", "general/0": "s"},
    }
    return sound | {key: change(sound[key]) for key, change in changes.items()}


def test_a_sound_study_passes_every_check():
    checks = validity.preconditions(**study())
    assert checks["holds"].all() and (checks["detail"] == "none").all()


@pytest.mark.parametrize(
    "check, detail, argument, change",
    [
        ("masks equal for all models", "general other", "mask_hashes", lambda m: m | {"general": "other"}),
        ("masks equal for all models", "general None", "mask_hashes", lambda m: {"a1": "m"}),
        ("masks equal for all models", "02_mask new", "mask_hashes", lambda m: m | {"02_mask": "new"}),
        ("split equal for all models", "a1 old", "split_ids", lambda m: m | {"a1": "old"}),
        (
            "tokens equal for all models",
            "text t1",
            "scores",
            lambda s: s.assign(n_tokens=s["n_tokens"].mask((s["model"] == "a1") & (s["text_id"] == "t1"), 6)),
        ),
        (
            "tokens equal for all models",
            "text t2",
            "scores",
            lambda s: s[(s["model"] == "a1") | (s["text_id"] == "t1")],
        ),
        ("nothing truncated", "a1", "truncated", lambda t: t | {"a1": 3}),
        ("nothing truncated", "general", "truncated", lambda t: {"a1": 0}),
        ("no test text in training", "a1", "training", lambda t: t | {"a1": t["a1"].assign(text_id=["t1", "t9"])}),
        ("no test learner in training", "a1", "training", lambda t: t | {"a1": t["a1"].assign(learner_id=["y", ""])}),
        ("weights differ", "a1/0, a1/1", "weights", lambda w: w | {"a1/1": "w0"}),
        ("weights differ", "general/0", "weights", lambda w: w | {"general/0": "s"}),
        ("weights differ", "a1/1", "step0", lambda s: {"a1/0": "s", "general/0": "s"}),
        ("weights differ", "none known", "weights", lambda w: {}),
    ],
)
def test_each_fault_is_found_and_named(check, detail, argument, change):
    checks = validity.preconditions(**study(**{argument: change})).set_index("check")
    assert checks.index[~checks["holds"]].tolist() == [check]
    assert detail in checks.loc[check, "detail"]


def test_a_failed_check_makes_every_verdict_invalid():
    checks = validity.preconditions(**study(truncated=lambda t: t | {"a1": 3}))
    found = decision_rules.decide(everything(), PARAMS, checks)
    assert (found["verdict"] == "invalid").all() and (found["reason"] == "failed check: nothing truncated (a1)").all()
    sound = decision_rules.decide(everything(), PARAMS, validity.preconditions(**study()))
    assert "invalid" not in set(sound["verdict"])


CORPUS = {"split_id": "s", "learners_known": True}
MASKS = {"split_id": "s", "mask_hash": {"test": "m"}}


def checked(order, corpus=CORPUS, n_chars=10, **changed):
    """{check: (holds, detail)} of general and a transfer model on one test text, t1, of learner x."""
    blanks = pd.DataFrame({"text_id": ["t1"], "mask_type": "training_mix", "mask_set": 0, "hidden": 10})[
        [*KEYS, "hidden"]
    ]
    trained = pd.DataFrame({"model": ["general", "a1_transfer"], "init_from": ["scratch", "general"], "seed": 0})
    trained = trained.assign(mask_hash="m", split_id="s", examples_seen=8, best_at=[8, 8])
    trained = trained.assign(fingerprint=["w1", "w2"], fingerprint_start=["w0", "w1"]).assign(**changed)
    scores = pd.concat([blanks[KEYS].assign(model=m, seed=0, n_tokens=3, n_chars=n_chars) for m in trained["model"]])
    texts = pd.DataFrame({"text_id": ["t1", "t2", "t3"], "learner_id": ["x", "y", "x"]})
    order = pd.DataFrame(order, columns=["model", "text_id"])
    scores = scores.assign(learner_id="x")
    table = validity.study_preconditions(scores, blanks, trained, order, texts, corpus, MASKS)
    return {row.check: (row.holds, row.detail) for row in table.itertuples()}


def test_a_fair_study_passes_every_check():
    assert all(holds for holds, _ in checked([("general", "t2"), ("a1_transfer", "t2")]).values())


def test_what_its_base_read_counts_as_read_by_a_model():
    found = checked([("general", "t3"), ("a1_transfer", "t2")])
    assert found["no test learner in training"] == (False, "a1_transfer, general")


def test_a_transfer_model_may_keep_its_starting_weights():
    read = [("general", "t2"), ("a1_transfer", "t2")]
    kept = {"fingerprint": ["w1", "w1"], "fingerprint_start": ["w0", "w1"]}
    assert checked(read, **kept, best_at=[8, 0])["weights differ"] == (True, "none")
    assert not checked(read, **kept)["weights differ"][0], "training went on, but the weights are those of its start"


def test_a_text_that_was_not_scored_to_its_end_is_found():
    found = checked([("general", "t2"), ("a1_transfer", "t2")], n_chars=9)
    assert found["nothing truncated"] == (False, "a1_transfer, general")


def test_without_learner_ids_the_overlap_is_unknown():
    found = checked([("general", "t2"), ("a1_transfer", "t2")], corpus=CORPUS | {"learners_known": False})
    assert found["no test learner in training"][1] == validity.UNKNOWN


def test_a_mislabelled_model_is_a_failed_check():
    checks = pd.DataFrame({"check": ["weights differ"], "holds": [True], "detail": ["none"]})
    sound, swapped = validity.with_labels(checks, []), validity.with_labels(checks, ["a1, seed 0"])
    assert sound["holds"].tolist() == [True, True] and swapped["holds"].tolist() == [True, False]
    assert swapped["detail"].tolist() == ["none", "a1, seed 0"]
