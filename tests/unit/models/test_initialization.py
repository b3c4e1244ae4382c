"""Claims about the initial model: its base is complete and fits, and no pickle is opened."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from lib.masking import tokenization
from lib.models import initialization


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A GPT-2 with byte tokens, one merge, <|endoftext|> as the last id, and no special token of ILM."""
    folder = tmp_path_factory.mktemp("base")
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġl", "<|endoftext|>"]
    coder = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[("Ġ", "l")]))
    coder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    coder.decoder = decoders.ByteLevel()
    end = tokens[-1]
    PreTrainedTokenizerFast(tokenizer_object=coder, bos_token=end, eos_token=end).save_pretrained(folder)
    size = {"n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 256}
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokens), **size)).save_pretrained(folder)
    return folder


def test_a_base_gets_seven_new_embeddings_behind_its_own(base, settings):
    coder = tokenization.make_tokenizer(str(base), None, None)
    n_tokens = len(AutoTokenizer.from_pretrained(base))
    types = [f"<|infill_{name}|>" for name in ["document", "paragraph", "sentence", "ngram", "word"]]
    added = ["<|startofinfill|>", "<|endofinfill|>", *types]
    assert coder.convert_tokens_to_ids(added) == list(range(n_tokens, n_tokens + 7))
    before, after = AutoModelForCausalLM.from_pretrained(base), initialization.initial_model(settings, coder, 256, base)
    assert after.get_input_embeddings().weight.shape[0] == after.config.vocab_size == n_tokens + 7
    assert torch.equal(after.get_input_embeddings().weight[:n_tokens], before.get_input_embeddings().weight)
    assert after.get_output_embeddings().weight is after.get_input_embeddings().weight
    assert after.config.attn_pdrop == settings.dropout


def test_a_base_with_another_vocabulary_is_refused(base, settings, tokenizer):
    with pytest.raises(ValueError, match=r"disagree on \d+ of \d+ tokens"):
        initialization.initial_model(settings, tokenizer, 256, base)


def test_a_base_that_takes_too_few_tokens_is_refused(base, settings):
    with pytest.raises(ValueError, match="takes 256 tokens, but masks.yaml says max_length: 512"):
        initialization.initial_model(settings, tokenization.make_tokenizer(str(base), None, None), 512, base)


def test_a_missing_base_is_refused_with_the_remedies(settings, tokenizer):
    with pytest.raises(ValueError, match="init_from: no/such/folder is no trained model"):
        initialization.initial_model(settings, tokenizer, 256, "no/such/folder")


def test_a_base_that_lacks_weights_is_refused(base, settings, tmp_path):
    for file in base.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(base / "model.safetensors")
    del weights["transformer.h.0.mlp.c_fc.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="lacks weights: transformer.h.0.mlp.c_fc.weight"):
        initialization.initial_model(settings, tokenization.make_tokenizer(str(tmp_path), None, None), 256, tmp_path)


class RunsCode:
    """An object that runs code when it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was opened')",)


def test_a_base_whose_weights_are_a_pickle_is_refused_unopened(base, settings, tmp_path):
    for file in base.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({"transformer.wte.weight": RunsCode()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="no model.safetensors that can be read"):
        initialization.initial_model(settings, tokenization.make_tokenizer(str(tmp_path), None, None), 256, tmp_path)
