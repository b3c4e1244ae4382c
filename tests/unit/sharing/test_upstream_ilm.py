"""Claims about files from and for upstream ILM."""

import os
import pickle
import subprocess
import sys
import types
from enum import Enum
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import GPT2LMHeadModel

from lib import errors
from lib.experiment.files import read_csv, read_json, write_json
from lib.masking.examples import SPECIALS
from lib.sharing import upstream_ilm
from tests.helpers.learner_texts import SENTENCE


@pytest.fixture(scope="module")
def exported(model_folder, tmp_path_factory):
    to = tmp_path_factory.mktemp("exported")
    upstream_ilm.export_model(model_folder, to)
    return to


def test_an_export_has_exactly_the_files_and_ids_that_upstream_reads(exported, tokenizer):
    added = {"pytorch_model.bin", "additional_ids_to_tokens.pkl", "README.md"}
    assert {path.name for path in exported.iterdir()} == {*upstream_ilm.MODEL_FILES} | added
    raw = (exported / "additional_ids_to_tokens.pkl").read_bytes()
    first = len(tokenizer) - 7
    assert raw[:2] == b"\x80\x02" and pickle.loads(raw) == {first + i: token for i, token in enumerate(SPECIALS)}
    config = read_json(exported / "config.json")
    assert (config["activation_function"], config["n_ctx"]) == ("gelu_new", config["n_positions"])


def test_the_exported_weights_are_the_model_under_upstreams_names(model_folder, exported):
    raw = (exported / "pytorch_model.bin").read_bytes()
    assert not raw.startswith(b"PK"), "torch of that time reads no zip file"
    weights = torch.load(exported / "pytorch_model.bin", weights_only=True)
    assert {"transformer.wte.weight", "transformer.h.0.attn.c_attn.weight", "lm_head.weight"} < set(weights)
    ours = GPT2LMHeadModel.from_pretrained(model_folder).eval()
    theirs = GPT2LMHeadModel.from_pretrained(exported, use_safetensors=False).eval()
    ids = torch.arange(20)[None]
    with torch.inference_mode():
        assert torch.allclose(ours(ids).logits, theirs(ids).logits, atol=1e-5)


def test_a_model_that_upstream_cannot_run_is_refused(model_folder, tmp_path):
    for file in model_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_json(read_json(model_folder / "config.json") | {"model_type": "gpt_neo"}, tmp_path / "config.json")
    with pytest.raises(errors.UpstreamFormatError, match="gpt2 only"):
        upstream_ilm.export_model(tmp_path, tmp_path / "to")
    assert not (tmp_path / "to").exists()


TEXTS = pd.DataFrame({
    "text_id": [1, 2, 3, 4],
    "level": ["A1", "A1", "B1", "A1"],
    "l1": ["NA", "Russian", "German", "Arabic"],
    "split": ["train", "train", "train", "test"],
    "text": ["One.\n\n\n\nTwo.\n\nThree.", "\n\n\nFour.\r\n\r\n\r\nFive.\n", "Six.", '=1+1, "x"\n\n\nNA'],
})  # fmt: skip


def upstream_reads(file):
    """What upstream's reader makes of a text file, by its own rule."""
    with open(file, encoding="utf-8") as opened:
        return [entry.strip() for entry in opened.read().strip().split("\n\n\n")]


def test_text_files_give_each_document_back_and_count_what_was_cut(tmp_path):
    report = upstream_ilm.export_texts(TEXTS, tmp_path)
    assert upstream_reads(tmp_path / "a1/train.txt") == ["One.\n\nTwo.\n\nThree.", "Four.\n\nFive."]
    assert len(upstream_reads(tmp_path / "all/train.txt")) == 3
    assert report["all/train.txt"] == {"documents": 3, "runs_cut": 2} and report["b1/test.txt"]["documents"] == 0
    assert read_json(tmp_path / "report.json") == report


def test_the_evaluation_csv_holds_the_test_texts_as_they_are(tmp_path):
    upstream_ilm.export_texts(TEXTS, tmp_path)
    table = read_csv(tmp_path / "evaluation.csv")
    assert table.to_dict("records") == [{"id": 4, "text": TEXTS["text"][3], "cefr_label": "A1", "l1": "Arabic"}]


@pytest.fixture
def upstream_types(monkeypatch):
    """Upstream's mask types, under the name by which its pickles ask for them."""
    names = ["DOCUMENT", "PARAGRAPH", "SENTENCE", "NGRAM", "WORD"]
    kinds = Enum("MaskHierarchicalType", {name: i for i, name in enumerate(names)}, module="ilm.mask.hierarchical")
    for name in ["ilm", "ilm.mask", "ilm.mask.hierarchical"]:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["ilm.mask.hierarchical"].MaskHierarchicalType = kinds
    return kinds


def test_upstreams_masks_are_read_without_running_anything_of_theirs(upstream_types, tmp_path, monkeypatch):
    word, ngram = upstream_types.WORD, upstream_types.NGRAM
    content = [(SENTENCE, [[(ngram, 8, 14), (word, 27, 5)], []]), ("No.", [[(upstream_types.DOCUMENT, 0, 3)]])]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "m.pkl").write_bytes(pickle.dumps(content, protocol))
        monkeypatch.delitem(sys.modules, "ilm.mask.hierarchical", raising=False)
        texts, masks = upstream_ilm.import_masks(tmp_path / "m.pkl")
        monkeypatch.setitem(sys.modules, "ilm.mask.hierarchical", types.ModuleType("ilm.mask.hierarchical"))
        sys.modules["ilm.mask.hierarchical"].MaskHierarchicalType = upstream_types
        assert texts["text"].tolist() == [SENTENCE, "No."]
        assert masks.to_numpy().tolist() == [[0, 0, 3, 8, 14], [0, 0, 4, 27, 5], [1, 0, 0, 0, 3]]


class Shell:
    def __reduce__(self):
        return os.system, ("touch owned",)


BAD = {
    "runs a command": Shell(),
    "builtin": eval,
    "getattr": getattr,
    "an object": Path("x"),
    "no list": {"a": 1},
    "no text": [(b"bytes", [])],
    "no masks": [("a", "b")],
    "no numbers": [("abc", [[("word", 0, 1)]])],
    "truth for a number": [("abc", [[(1, False, True)]])],
    "beyond the text": [("abc", [[(1, 2, 9)]])],
    "overlapping": [("abcdef", [[(1, 0, 3), (1, 2, 2)]])],
    "negative": [("abc", [[(1, -1, 2)]])],
}


@pytest.mark.parametrize("what", BAD)
def test_any_other_pickle_is_refused_by_name_and_does_nothing(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("m.pkl").write_bytes(pickle.dumps(BAD[what]))
    with pytest.raises(errors.UpstreamFormatError, match="m.pkl"):
        upstream_ilm.import_masks("m.pkl")
    assert [path.name for path in tmp_path.iterdir()] == ["m.pkl"]


@pytest.mark.parametrize("raw", [b"", b"no pickle", b"\x80\x04", pickle.dumps([("a", [])])[:-2], b"cos\nsystem\n."])
def test_a_damaged_pickle_is_refused_in_words(raw, tmp_path):
    (tmp_path / "m.pkl").write_bytes(raw)
    with pytest.raises(errors.UpstreamFormatError, match="mask file"):
        upstream_ilm.import_masks(tmp_path / "m.pkl")


def test_an_unknown_mask_type_is_refused(upstream_types, tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"cilm.mask.hierarchical\nMaskHierarchicalType\n(I9\ntR.")
    with pytest.raises(errors.UpstreamFormatError, match="type 9"):
        upstream_ilm.import_masks(tmp_path / "m.pkl")


def test_the_command_says_in_one_line_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "lib", "import-masks", str(tmp_path / "none.pkl"), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2 and "none.pkl" in ran.stderr and "Traceback" not in ran.stderr
