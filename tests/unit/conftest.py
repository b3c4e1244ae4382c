"""What several tests share: throwaway texts, their tokenizer, and parameters small enough for seconds."""


import pandas as pd
import pytest

from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.masking import token_index, tokenization
from lib.masking.examples import first_special_of
from tests.helpers.cards import FACTS
from tests.helpers.learner_texts import LEARNER_LIKE

SMALL = {"max_examples": 80, "examples_per_step": 8, "eval_every": 40, "n_layer": 1, "n_head": 2, "n_embd": 32}


@pytest.fixture(scope="session")
def texts():
    """60 texts of learners as a frame text_id, text."""
    many = [f"{text} I have {n} brothers." for n in range(10) for text in LEARNER_LIKE]
    return pd.DataFrame({"text_id": range(len(many)), "text": many})


@pytest.fixture(scope="session")
def tokenizer(texts):
    return tokenization.make_tokenizer("bpe", texts["text"], 500)


@pytest.fixture(scope="session")
def drawing():
    return parameters.load_file("params/demo/masks.yaml").model_copy(update={"max_length": 256})


@pytest.fixture(scope="session")
def index(texts, tokenizer, drawing):
    return token_index.build_index(texts, tokenizer, "rules", drawing.max_length)


@pytest.fixture(scope="session")
def first_special(tokenizer):
    return first_special_of(tokenizer)


@pytest.fixture(scope="module")
def model(tokenizer):
    """A GPT-2 of random weights that are strong enough to prefer some tokens."""
    import torch  # here, since many tests do without
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    size = {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 256}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), initializer_range=0.3, **size)).eval()


@pytest.fixture
def run(tmp_path):
    """A run with a corpus, masks made from it, and a model made from both; notebooks of one line."""
    (tmp_path / "notebooks").mkdir()
    for name in ["01_extract", "02_mask", "03_train"]:
        cells = [
            {"cell_type": "code", "metadata": {}, "source": ["from lib.masking.segmentation import units\nx = 1\n"]}
        ]
        write_json({"cells": cells}, tmp_path / f"notebooks/{name}.ipynb")
    (tmp_path / "corpus.csv").write_text("text")
    settings = {name: parameters.load_file(f"params/demo/{name}.yaml") for name in ["corpus", "masks", "a1"]}
    run = Experiment("study", tmp_path).start("01_extract")
    run.add_inputs([tmp_path / "corpus.csv"])
    write_json({"split_id": 1}, run.report)
    run.write_manifest(settings["corpus"], run.report.parent)
    run = Experiment("study", tmp_path).start("02_mask")
    write_json({"from": run.require(run.report, "01_extract").read_text()}, run.folder / "masks/report.json")
    run.write_manifest(settings["masks"], run.folder / "masks")
    run = Experiment("study", tmp_path).start("03_train")
    run.require(run.folder / "masks/report.json", "02_mask")
    write_json({"seconds": 3}, run.model("a1", 0) / "clock.json")
    write_json({"weights": 7}, run.model("a1", 0) / "train.json")
    run.write_manifest(settings["a1"], run.model("a1", 0))
    return Experiment("study", tmp_path).start("04_evaluate")


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory, tokenizer):
    """A model folder with the files that training.save leaves for others."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from lib.models import loading
    from lib.training import model_folder

    folder = tmp_path_factory.mktemp("a1")
    torch.manual_seed(0)
    size = {"n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 128, "activation_function": "gelu_pytorch_tanh"}
    network = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), initializer_range=0.3, **size)).eval()
    model_folder.save_portable(network, tokenizer, folder)
    write_json({"fingerprint": loading.fingerprint(network)}, folder / "train.json")
    model_folder.card(FACTS).save(folder / "README.md")
    return folder


@pytest.fixture(scope="module")
def settings():
    return parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL)
