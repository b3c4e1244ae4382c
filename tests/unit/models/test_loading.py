"""Claims about loading a model: it is the one that was saved, or it is refused."""

import pytest
from safetensors.torch import load_file, save_file

from lib.experiment.files import write_json
from lib.models import loading


@pytest.fixture
def folder(model, tmp_path):
    model.save_pretrained(tmp_path)
    write_json({"fingerprint": loading.fingerprint(model)}, tmp_path / "train.json")
    return tmp_path


def test_a_saved_model_is_loaded_as_it_was(model, folder):
    assert loading.fingerprint(loading.load_model(folder)) == loading.fingerprint(model)


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_weights_that_train_json_does_not_certify_are_refused(folder, damage):
    weights = load_file(folder / "model.safetensors")
    if damage == "changed":
        weights["transformer.h.0.ln_1.weight"][0] += 1e-3
    else:
        del weights["transformer.h.0.mlp.c_fc.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="run 03_train"):
        loading.load_model(folder)
