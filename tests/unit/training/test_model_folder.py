"""Claims about the model folder: it can be loaded and used without this project."""

import json
import shutil

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from safetensors.torch import load_model
from transformers import AutoTokenizer, set_seed

from lib.experiment.files import read_csv, read_json
from lib.masking.examples import SPECIALS
from lib.models import initialization, loading
from lib.training import loop
from lib.training import model_folder as cards
from lib.training.dataset import Steps
from tests.helpers.cards import FACTS
from tests.helpers.elsewhere import code_of, elsewhere
from tests.helpers.learner_texts import SENTENCE


def test_the_cards_code_fills_blanks_without_this_project(model_folder):
    code = f"print(tokenizer.convert_tokens_to_ids({SPECIALS!r}), prompt['input_ids'][0].tolist(), written.tolist())"
    *_, ids = elsewhere(model_folder, code_of(model_folder / "README.md") + code).splitlines()
    specials, prompt, written = json.loads("[" + ids.replace("] [", "], [") + "]")
    assert specials == list(range(specials[0], specials[0] + 7)), "seven ids behind the vocabulary"
    assert prompt[-1] == specials[0] and [token for token in prompt if token in specials[2:]] == specials[5:7]
    assert len(written) == 48


def test_the_cards_code_puts_each_filling_into_its_own_blank(tmp_path, tokenizer, model_folder):
    """A model that writes "a<end> b<end> c": what follows the last filling is dropped."""
    for file in model_folder.iterdir():
        shutil.copy2(file, tmp_path)
    stub = r"""
import transformers
class Stub:
    @staticmethod
    def from_pretrained(model_folder):
        return Stub()
    def generate(self, input_ids, attention_mask, **options):
        import torch
        more = transformers.AutoTokenizer.from_pretrained(".")(" pasta<|endofinfill|> lunch<|endofinfill|> more")
        return torch.cat([input_ids, torch.tensor([more["input_ids"]])], 1)
transformers.AutoModelForCausalLM = Stub
"""
    printed = elsewhere(tmp_path, stub + code_of(model_folder / "README.md")).splitlines()
    assert printed[-2:] == ["[' pasta', ' lunch']", "She ate pasta for lunch."]


def test_hugging_face_reads_the_card_and_no_section_is_missing(model_folder):
    card = ModelCard.load(model_folder / "README.md")
    data = card.data.to_dict()
    assert (data["library_name"], data["license"]) == ("transformers", "other")
    assert data["model-index"][0]["results"][0]["metrics"] == [{"type": "perplexity", "value": 28.7}]
    for heading in ["## Use", "## Data", "## Metrics", "## What may and may not be done"]:
        assert heading in card.text
    assert "{" not in card.text and SENTENCE[:7] in card.text


def test_a_pipeline_fills_a_batch_of_texts_and_stops(model_folder):
    code = """
from transformers import pipeline
texts = ["She ate<|infill_word|>.<|startofinfill|>", "He<|infill_word|> so very much of it.<|startofinfill|>"]
fill = pipeline("text-generation", ".")
alone = [fill(text, do_sample=False)[0]["generated_text"] for text in texts]
batch = [found[0]["generated_text"] for found in fill(texts, batch_size=2, do_sample=False)]
long = fill(texts[0], do_sample=False, return_tensors=True)[0]["generated_token_ids"]
print(batch == alone, len(long) - len(fill.tokenizer(texts[0])["input_ids"]))
"""
    assert elsewhere(model_folder, code).splitlines()[-1] == "True 96"


def test_the_tokenizers_class_is_one_from_before_transformers_5(model_folder, tokenizer):
    config = read_json(model_folder / "tokenizer_config.json")
    assert (config["tokenizer_class"], config["model_max_length"]) == ("PreTrainedTokenizerFast", 128)
    loaded = AutoTokenizer.from_pretrained(model_folder)
    assert loaded(SENTENCE)["input_ids"] == tokenizer(SENTENCE)["input_ids"] and len(loaded) == len(tokenizer)


@pytest.mark.parametrize("name", ["{x}", "{{ 7*7 }}", "a: b", "- {% raw %}"])
def test_a_name_in_a_card_is_a_name(name):
    card = cards.card(FACTS | {"model": name, "init_from": name, "levels": [name]})
    assert card.data.model_name == name and card.text.count(name) == 3


def test_the_folder_records_the_training(trained, tokenizer, steps):
    folder = trained["folder"]
    facts, order = read_json(folder / "train.json"), pd.read_parquet(folder / "order.parquet")
    assert facts["examples_seen"] == len(order) == 80 and facts["tokens_seen"] == steps.tokens(80)
    assert set(order["text_id"]) <= set(range(48))
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == tokenizer.get_vocab()
    assert read_csv(folder / "curve.csv")["valid_loss"].tolist() == trained["curve"]["valid_loss"].tolist()
    assert f"{facts['valid_perplexity']:.2f}" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rate", [4.0e-3, 0.9])
def test_a_snapshot_equals_a_training_with_that_budget(
    rate, tokenizer, index, drawing, settings, first_special, valid, tmp_path
):
    """With a rate of .9 training diverges: its best evaluation and its end both come before the snapshots."""
    changed = {"learning_rate": rate, "eval_every": 8, "patience": 2}
    snapshots = {80: {"A1": 32, "A2": 72}, 32: {}, 72: {}}
    fingerprints = {}
    for budget, snapshot_at in snapshots.items():
        budgeted = settings.model_copy(update=changed | {"max_examples": budget, "snapshot_at": snapshot_at})
        set_seed(0)
        model = initialization.initial_model(budgeted, tokenizer, 256)
        steps = Steps(index.iloc[:48], drawing, budgeted, 0, first_special)
        loop.train(model, steps, valid, budgeted, 0, tmp_path / str(budget), "test", {})
        fingerprints[budget] = loading.fingerprint(model)
        for level, weights in cards.snapshot_files(tmp_path / "80", budgeted).items():
            load_model(model, weights)
            fingerprints[level] = loading.fingerprint(model)
    assert (fingerprints["A1"], fingerprints["A2"]) == (fingerprints[32], fingerprints[72])
    assert (fingerprints["A1"] != fingerprints["A2"]) == (rate < 0.1)


def test_a_damaged_snapshot_is_refused(tmp_path, tokenizer, index, drawing, valid, settings, first_special):
    with_snapshot = settings.model_copy(update={"snapshot_at": {"A1": 40}})
    model = initialization.initial_model(with_snapshot, tokenizer, 256)
    steps = Steps(index.iloc[:48], drawing, with_snapshot, 0, first_special)
    loop.train(model, steps, valid, with_snapshot, 0, tmp_path, "test", {})
    file = cards.snapshot_files(tmp_path, with_snapshot)["A1"]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="snapshot-5 is damaged"):
        cards.snapshot_files(tmp_path, with_snapshot)
