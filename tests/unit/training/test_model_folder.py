"""Claims about what a training leaves: a folder that opens and explains itself where nothing of this project is."""

import json
import shutil

from huggingface_hub import ModelCard

from lib.masking.examples import SPECIALS
from tests.helpers.elsewhere import code_of, elsewhere
from tests.helpers.learner_texts import SENTENCE


def test_the_card_s_code_fills_blanks_where_nothing_of_this_project_is(model_folder):
    asked = f"print(tokenizer.convert_tokens_to_ids({SPECIALS!r}), prompt['input_ids'][0].tolist(), written.tolist())"
    *_, ids = elsewhere(model_folder, code_of(model_folder / "README.md") + asked).splitlines()
    specials, prompt, written = json.loads("[" + ids.replace("] [", "], [") + "]")
    assert specials == list(range(specials[0], specials[0] + 7)), "seven ids behind the vocabulary"
    assert prompt[-1] == specials[0] and [token for token in prompt if token in specials[2:]] == specials[5:7]
    assert len(written) == 48


def test_the_card_s_code_puts_each_filling_into_its_own_blank(tmp_path, tokenizer, model_folder):
    """A model that writes "a<end> b<end> c": what it says after the last blank is dropped."""
    for file in model_folder.iterdir():
        shutil.copy2(file, tmp_path)
    told = r"""
import transformers
class Told:
    @staticmethod
    def from_pretrained(model_folder):
        return Told()
    def generate(self, input_ids, attention_mask, **how):
        import torch
        more = transformers.AutoTokenizer.from_pretrained(".")(" pasta<|endofinfill|> lunch<|endofinfill|> more")
        return torch.cat([input_ids, torch.tensor([more["input_ids"]])], 1)
transformers.AutoModelForCausalLM = Told
"""
    said = elsewhere(tmp_path, told + code_of(model_folder / "README.md")).splitlines()
    assert said[-2:] == ["[' pasta', ' lunch']", "She ate pasta for lunch."]


def test_the_model_card_is_one_that_hugging_face_reads_and_holds_what_must_be_known(model_folder):
    card = ModelCard.load(model_folder / "README.md")
    data = card.data.to_dict()
    assert (data["library_name"], data["license"]) == ("transformers", "other")
    assert data["model-index"][0]["results"][0]["metrics"] == [{"type": "perplexity", "value": 28.7}]
    for heading in ["## Use", "## Data", "## Metrics", "## What may and may not be done"]:
        assert heading in card.text
    assert "{" not in card.text and SENTENCE[:7] in card.text
