"""Claims about estimates: they grow with what they are of, and time and memory of a real training lie near them."""

from pathlib import Path

import pytest

from lib.experiment import parameters
from lib.experiment.files import read_json
from lib.workflow import estimates, plan


@pytest.fixture
def settings():
    return parameters.load_file("params/demo/a1.yaml").model_copy(update={"max_examples": 480, "examples_per_step": 24})


def test_a_run_that_has_its_masks_is_planned_by_its_own_texts():
    known, expected = estimates.lengths("runs/demo"), estimates.lengths("runs/none")
    assert set(known) == set(expected) and known["A1"][0] < expected["A1"][0]
    facts = read_json("runs/demo/models/a1/seed0/train.json")
    assert known["A1"][1] == pytest.approx(facts["tokens_seen"] / facts["examples_seen"], rel=0.1)


def test_a_corpus_is_planned_by_its_own_texts_if_they_can_be_counted(tmp_path, monkeypatch):
    settings, corpus, home = (
        parameters.load_file("params/demo/corpus.yaml"),
        "runs/synthetic_corpus.csv",
        Path("runs/demo"),
    )
    assert plan.texts(home, corpus, settings) == (estimates.lengths(home), "those of runs/demo")
    found, whose = plan.texts(Path("runs/none"), corpus, settings)
    assert sum(n for n, _ in found.values()) == read_json(home / "corpus/report.json")["rows_in"] and corpus in whose
    (tmp_path / "mine.csv").write_text("writing_id,cefr,text\n1,A1,aaaa\n2,C2,x\n3,A1,aa\n")
    found, _ = plan.texts(home, str(tmp_path / "mine.csv"), settings)
    assert found == {"A1": (2, pytest.approx(3 * estimates.TOKENS_PER_CHARACTER))}, "C2 is left out"
    monkeypatch.setattr(plan, "MAX_COUNTED", 10)
    for asked, words in [(str(tmp_path / "mine.csv"), "too large"), ("", "CORPUS=file")]:
        found, whose = plan.texts(Path("runs/none"), asked, settings)
        assert found == estimates.lengths() and words in whose and "EFCAMDAT" in whose
