"""Claims about the checks of a whole study, from what its notebooks left."""

import pandas as pd

from lib.evaluation.scoring import KEYS
from lib.hypotheses import validity

CORPUS = {"split_id": "s", "learners_known": True}
MASKS = {"split_id": "s", "mask_hash": {"test": "m"}}


def checked(order, corpus=CORPUS, n_chars=10):
    """{check: (holds, detail)} of general and a transfer model on one test text, t1, of learner x."""
    blanks = pd.DataFrame({"text_id": ["t1"], "mask_type": "mix", "mask_set": 0, "hidden": 10})[[*KEYS, "hidden"]]
    trained = pd.DataFrame({"model": ["general", "a1_transfer"], "init_from": ["scratch", "general"], "seed": 0})
    trained = trained.assign(mask_hash="m", split_id="s", examples_seen=8)
    trained = trained.assign(fingerprint=["w1", "w2"], fingerprint_start=["w0", "w1"])
    scores = pd.concat([blanks[KEYS].assign(model=m, seed=0, n_tokens=3, n_chars=n_chars) for m in trained["model"]])
    texts = pd.DataFrame({"text_id": ["t1", "t2", "t3"], "learner_id": ["x", "y", "x"]})
    order = pd.DataFrame(order, columns=["model", "text_id"])
    scores = scores.assign(learner_id="x")
    table = validity.of_study(scores, blanks, trained, order, texts, corpus, MASKS)
    return {row.check: (row.holds, row.detail) for row in table.itertuples()}


def test_a_fair_study_passes_every_check():
    assert all(holds for holds, _ in checked([("general", "t2"), ("a1_transfer", "t2")]).values())


def test_what_its_base_read_counts_as_read_by_a_model():
    found = checked([("general", "t3"), ("a1_transfer", "t2")])
    assert found["no test learner in training"] == (False, "a1_transfer, general")


def test_a_text_that_was_not_scored_to_its_end_is_found():
    found = checked([("general", "t2"), ("a1_transfer", "t2")], n_chars=9)
    assert found["nothing truncated"] == (False, "a1_transfer, general")


def test_without_learners_it_is_said_that_nobody_can_know():
    found = checked([("general", "t2"), ("a1_transfer", "t2")], corpus=CORPUS | {"learners_known": False})
    assert found["no test learner in training"][1] == validity.UNKNOWABLE
