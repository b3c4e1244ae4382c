"""Claims about make identify, on the finished demo: what it writes, and that no text and no learner is in it."""

import re
from pathlib import Path

import pandas as pd
import pytest

from lib.errors import MissingResult
from lib.experiment import manifest
from lib.experiment.files import file_hash, read_csv, read_json
from lib.experiment.folders import Experiment
from lib.identification import command, systems
from lib.sharing import identified_levels

ROOT = Path(__file__).parents[3]
READ = ["corpus", "masks", "tokenizer", "models", "evaluation"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder with the demo's results by links, where identify has been run; the Experiment."""
    root = tmp_path_factory.mktemp("identified")
    (root / "runs/demo").mkdir(parents=True)
    for name in READ:
        (root / "runs/demo" / name).symlink_to(ROOT / "runs/demo" / name)
    for name in ["params", "notebooks"]:
        (root / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(command.style, "save", lambda *arguments: None)  # takes seconds
        patch.setattr(command.identification_figures, "confusions", lambda *arguments: None)
        patch.setattr(systems.baselines, "STRENGTHS", [10])
        patch.setattr(systems.baselines, "MAX_TERMS", 300)
        command.identify("demo")
        yield Experiment("demo", root)


@pytest.fixture(scope="module")
def results(demo):
    return demo.folder / "identification/test_texts"


def test_results_are_certified_by_a_manifest(demo, results):
    assert manifest.check(results, "make identify", demo.folder)
    written = manifest.read_manifest(results)
    assert "lib/identification/classifiers.py" in written["code"] and written["made_by"] == "identify"
    assert not any(name.startswith("..") for name in written["inputs"])


def test_all_systems_are_measured_on_the_same_texts(results):
    measured = read_csv(results / "measures.csv").set_index("system")
    assert measured.index.tolist() == systems.SYSTEMS and measured["n_texts"].nunique() == 1
    texts = read_json(results / "report.json")
    assert measured["n_texts"].iloc[0] == sum(texts["n_texts"].values())
    assert measured.loc["specialists, calibrated", "accuracy_lo"] > measured.loc["majority", "accuracy_hi"]


def test_numbers_are_those_of_the_predictions(results):
    rows = pd.read_parquet(results / "predictions.parquet")
    measured = read_csv(results / "measures.csv").set_index("system")["accuracy"]
    for system in systems.SYSTEMS:
        assert measured[system] == pytest.approx((rows[system] == rows["level"]).mean())


def test_no_text_and_no_learner_id_is_in_the_results(demo, results):
    corpus = pd.read_parquet(demo.texts, columns=["learner_id", "text"])
    known = set(corpus["learner_id"])
    for file in results.iterdir():
        if file.suffix in (".csv", ".json"):
            content = file.read_text(encoding="utf-8")
            assert not known & set(re.findall(r"\w+", content)), file.name
    assert set(pd.read_parquet(results / "predictions.parquet")) == {"text_id", "level", "learner", *systems.SYSTEMS}


def test_the_explorers_classifier_is_of_one_seed(results):
    facts = read_json(results / "classifier.json")
    assert facts["kind"] == "specialists" and facts["remark"] is None
    assert facts["classifier"]["models"] == ["A1", "A2", "B1", "B2", "C1"] and 0.5 < facts["accuracy"] <= 1


def test_another_corpus_has_a_folder_of_its_own(demo, results, monkeypatch, tmp_path, capsys):
    corpus = pd.read_parquet(demo.texts).query("split == 'test' and not copied").groupby("level").head(6)
    file = tmp_path / "other essays.csv"
    corpus[["text_id", "level", "text"]].to_csv(file, index=False)

    def score(run, texts, kinds, progress):
        test = {kind: command.text_scores.evaluated(run, *facts[:2], "scores") for kind, facts in kinds.items()}
        assert set(texts["text_id"]) == set(corpus["text_id"])
        return test

    monkeypatch.setattr(command.other_corpus, "score", score)
    before = (results / "manifest.json").read_bytes()
    command.identify(models="runs/demo", corpus=[str(file)])
    folder = results.with_name("corpus_other-essays")
    assert manifest.check(folder, "make identify", demo.folder) and not (folder / "classifier.json").exists()
    assert read_csv(folder / "measures.csv")["n_texts"].unique() == [len(corpus)]
    assert "Provisional" in capsys.readouterr().out and (results / "manifest.json").read_bytes() == before
    shown, _ = identified_levels.read(demo)
    assert list(shown) == ["corpus_other-essays", "test_texts"]


@pytest.mark.parametrize("models", ["elsewhere/demo", "runs/demo/models", "demo"])
def test_models_are_a_folder_of_runs(models, demo):
    with pytest.raises(MissingResult, match="folder of runs"):
        command.chosen_experiment(None, models)
    assert command.chosen_experiment(None, "runs/demo/").name == "demo"


def test_the_studys_own_corpus_is_no_other_corpus(demo):
    sha256 = read_json(demo.report)["sources"][0]["sha256"]
    own = ROOT / "runs/synthetic_corpus.csv"
    assert file_hash(own, 64) == sha256 and command.is_own(demo, own)
    assert not command.is_own(demo, demo.root / "params/identification.yaml") and not command.is_own(demo, "no.csv")


def test_a_small_study_says_what_is_missing(demo, monkeypatch, capsys):
    trained = command.text_scores.trained_models

    def few(run, kind):
        models, seeds, _ = trained(run, kind)
        kept = ["A1", "C1"] if kind == "specialists" else ["A1"]
        return {level: models[level] for level in kept}, seeds, {"B1": "b1 is n/a: no text of B1"}

    monkeypatch.setattr(command.text_scores, "trained_models", few)
    monkeypatch.setattr(command, "OWN_TEXTS", "small")
    command.identify("demo")
    folder = demo.folder / "identification/small"
    measured = read_csv(folder / "measures.csv")["system"].tolist()
    assert measured == ["specialists, least perplexed", "specialists, calibrated", "TF-IDF", "length", "majority"]
    report = read_json(folder / "report.json")
    assert report["levels"] == ["A1", "C1"] and report["left_out"]["level without models"] > 100
    said = capsys.readouterr().out
    assert "b1 is n/a: no text of B1" in said and "transfer models, calibrated: fewer than two trained models" in said
