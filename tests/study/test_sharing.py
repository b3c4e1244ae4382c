"""Claims about the shared folder: what it has with weights, what it leaves out, and that it works elsewhere."""

import copy
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from lib import errors
from lib.experiment.files import file_hash, read_json, write_json
from lib.experiment.folders import Experiment
from lib.sharing import bundle, upstream_ilm, weights
from lib.sharing.aggregates import Study
from lib.sharing.small_cells import SMALL
from tests.helpers.elsewhere import code_of, elsewhere

FEW = "b2"  # the demo has fewer than 20 valid learners there


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo in a folder of its own, with a memorisation report that clears all weights; nothing is drawn."""
    root = tmp_path_factory.mktemp("shared")
    shutil.copytree("runs/demo", root / "runs/demo", ignore=shutil.ignore_patterns("share*", "report", "infills"))
    for name in ["CITATION.cff", "lib", "notebooks"]:
        (root / name).symlink_to(Path(name).resolve())
    run = Experiment("demo", root)
    hashes = {"/".join(path.parts[-3:-1]): file_hash(path) for path in run.folder.glob("models/*/*/model.safetensors")}
    cleared = {"verdict": weights.MAY_BE_SHARED, "reason": ""}
    report = {name: {"weights": code} | cleared for name, code in hashes.items()}
    write_json({"models": report}, run.folder / "memorisation/memorisation.json")
    return run


@pytest.fixture(scope="module")
def study(demo):
    return Study(demo)


@pytest.fixture(scope="module")
def shared(demo):
    folder = demo.root / "staged"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle.report, "write", lambda *_: None)
        patch.setattr(bundle.paper, "write", lambda *_: None)
        folder.mkdir()
        bundle.stage(demo, folder, with_weights=True)
    return folder


def test_only_the_files_that_using_a_model_needs_are_shared(shared):
    found = {path.name for path in (shared / "cards").rglob("*") if path.is_file()}
    assert found == {*bundle.MODEL_FILES, weights.WEIGHTS}, "no order.parquet, curve.csv or train.json"


def test_no_model_s_folder_names_a_text_a_learner_or_a_path(shared, demo):
    texts = pd.read_parquet(demo.texts, columns=["text_id", "learner_id"]).astype(str)
    names = {name for column in texts for name in texts[column] if len(name) > 4}  # shorter ones are counts, too
    assert len(names) > 1000, "else this claims nothing"
    for path in [path for path in (shared / "cards").rglob("*") if path.is_file()]:
        said = path.read_bytes().decode("utf-8", "replace")
        said = said[: said.find("}}")] if path.name == weights.WEIGHTS else said  # its header
        assert not names & {*re.findall(r"\w+", said)} and str(demo.root) not in said, path


@pytest.mark.parametrize("suffix", sorted(bundle.TEXT_SUFFIXES))
def test_paths_of_corpus_and_base_model_are_not_shared(suffix, study, tmp_path, monkeypatch):
    base = tmp_path / "home of ann/gpt2"
    base.mkdir(parents=True)
    report = study.trained["a1", 0] | {"init_from": str(base)}
    monkeypatch.setitem(study.trained, ("a1", 0), report)
    corpus = (study.run.root / "runs/synthetic_corpus.csv").resolve()
    paths = [base, corpus, os.path.relpath(base, study.run.root / "notebooks"), "../runs/synthetic_corpus.csv"]
    (tmp_path / "out").mkdir()
    (tmp_path / f"out/table{suffix}").write_text("\n".join(map(str, paths)))
    bundle.shorten_paths(study, tmp_path / "out")
    written = (tmp_path / f"out/table{suffix}").read_text().split()
    assert written == ["gpt2", "synthetic_corpus.csv", "gpt2", "synthetic_corpus.csv"]


def test_shared_weights_are_readable_like_other_files(shared):
    modes = {path.stat().st_mode & 0o777 for path in (shared / "cards").rglob("*.safetensors")}
    assert modes == {(shared / "README.md").stat().st_mode & 0o777}


def test_cards_of_models_of_small_levels_are_left_out(shared, study):
    cards = {path.parent.name for path in (shared / "cards").glob("*/seed*")}
    few = study.small["valid"]
    assert FEW.upper() in few, "else this claims nothing"
    assert not cards & {name for level in few for name in (level.lower(), f"{level.lower()}_transfer")}
    assert {"a1", "general", "initial"} <= cards


def test_a_card_is_left_out_if_one_valid_learner_is_missing(study):
    study = copy.deepcopy(study)
    for learners, kept in [(SMALL, True), (SMALL - 1, False)]:
        for row in study.corpus["by_level"]:
            if (row["level"], row["split"]) == ("A1", "valid"):
                row["n_learners"] = learners
        study.count_learners()
        assert bundle.may_be_described(study, "a1", 0) == bundle.may_be_described(study, "a1_transfer", 0) == kept
        assert bundle.may_be_described(study, "general", 0)


def test_cards_do_not_say_with_which_perplexity_a_model_began(shared, study):
    """It is another model's at that level, and with all of them a small level's could be computed."""
    start = study.trained["a1_transfer", 0]["start_perplexity"]
    card = (study.run.model("a1_transfer", 0) / "README.md").read_text(encoding="utf-8")
    assert f"{start:.2f}" in card and study.small["valid"], "else this claims nothing"
    shared_card = (shared / "cards/a1_transfer/seed0/README.md").read_text(encoding="utf-8")
    assert f"{start:.2f}" not in shared_card and "## Metrics" in shared_card
    assert len(card.splitlines()) - len(shared_card.splitlines()) == 1


def test_a_shared_folder_fills_blanks_without_this_project(shared):
    folder = shared / "cards/general/seed0"
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(words in card for words in ["license: other", "## Data", "perplexity of answers", "split, masks"])
    said = elsewhere(folder, code_of(Path("lib/training/model_card.md")))
    assert "\nShe ate" in said


def test_one_model_that_must_stay_keeps_all_weights_back(demo, monkeypatch):
    path = demo.folder / "memorisation/memorisation.json"
    report = read_json(path)
    changed = report["models"]["general/seed0"] | {"verdict": "must not be shared", "reason": "a gap"}
    monkeypatch.setattr(bundle.report, "write", lambda *_: pytest.fail("it was drawn"))
    write_json({"models": report["models"] | {"general/seed0": changed}}, path)
    with pytest.raises(errors.LeakFound, match="general, seed 0: must not be shared: a gap"):
        bundle.stage(demo, demo.root / "refused", with_weights=True)
    write_json(report, path)


def test_weights_stay_where_the_vocabulary_learned_a_name(demo, monkeypatch):
    weights.require_common_vocabulary(demo)
    monkeypatch.setattr(weights, "rare_tokens", lambda *_: [7, 9])
    with pytest.raises(errors.LeakFound, match="2 of its tokens .* fewer than 5 learners: 7, 9"):
        weights.require_common_vocabulary(demo)
    assert json.loads((demo.folder / "masks/report.json").read_text())["parameters"]["tokenizer"] == "bpe"


def test_the_demo_s_folders_hold_what_others_need():
    for folder in Path("runs/demo/models").glob("*/seed*"):
        assert {*upstream_ilm.MODEL_FILES, "README.md"} <= {path.name for path in folder.iterdir()}, folder
