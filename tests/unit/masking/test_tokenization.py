"""Claims about the tokenizer: its special tokens, and that bases' own tokenizers read and write as training needs."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from lib.errors import ParameterError
from lib.infilling import decoding
from lib.masking import examples, token_index, tokenization
from lib.masking.segmentation import NGRAM, WORD

TEXT = "She ate leftover pasta for lunch."
SPANS = np.array([(NGRAM, 8, 14), (WORD, 27, 5)], np.int32)
PROMPT = "She ate<|infill_ngram|> for<|infill_word|>.<|startofinfill|>"


def test_special_tokens_follow_the_vocabulary_in_the_papers_order(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(examples.SPECIALS)
    assert ids == list(range(len(tokenizer) - 7, len(tokenizer)))
    assert examples.SPECIALS[2:] == [f"<|infill_{t}|>" for t in ["document", "paragraph", "sentence", "ngram", "word"]]


def _sentencepiece_bpe():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def llama2_legacy():
    """Marks every segment by its normaliser, and drops the first blank when it decodes."""
    tokenizer = _sentencepiece_bpe()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    strip = decoders.Strip(" ", 1, 0)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), strip])
    return tokenizer


def llama2():
    tokenizer = _sentencepiece_bpe()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer


def gemma():
    tokenizer = _sentencepiece_bpe()
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return tokenizer


def xglm():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


def llama3():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def xlm_roberta():
    tokenizer = xglm()
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    return tokenizer


def lower_case():
    tokenizer = llama3()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


def _without_pre_tokenizer(tokenizer):
    state = json.loads(tokenizer.to_str())
    return Tokenizer.from_str(json.dumps(state | {"pre_tokenizer": None}))


def published(make, texts, folder, template="<s> $A"):
    """The folder of a published tokenizer of that kind, trained on the texts."""
    tokenizer = make()
    options = {"special_tokens": ["<unk>", "<s>", "</s>"], "vocab_size": 400, "show_progress": False}
    if isinstance(tokenizer.model, models.Unigram):
        trainer = trainers.UnigramTrainer(unk_token="<unk>", **options)
    else:
        trainer = trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)
    own = tokenizer.pre_tokenizer
    if make in (llama2_legacy, llama2, gemma):  # SentencePiece has no pieces across words and punctuation
        words = [pre_tokenizers.Metaspace(prepend_scheme="always"), pre_tokenizers.Punctuation()]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)
    tokenizer.train_from_iterator([*texts["text"], TEXT], trainer)
    if own is not None:
        tokenizer.pre_tokenizer = own
    elif make is llama2_legacy:
        tokenizer = _without_pre_tokenizer(tokenizer)
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 1), ("</s>", 2)])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return str(folder)


@pytest.fixture(params=[llama2_legacy, llama2, gemma, xglm, llama3], ids=lambda make: make.__name__)
def base(request, texts, tmp_path):
    return published(request.param, texts, tmp_path / "base")


def test_training_and_a_prompt_have_the_same_pieces(base, tmp_path):
    """With the start token that the base expects, also after saving; a prompt as the model card builds it."""
    made = tokenization.make_tokenizer(base, None, 0)
    made.save_pretrained(tmp_path / "own")
    for tokenizer in [made, AutoTokenizer.from_pretrained(tmp_path / "own")]:
        read = tokenizer(PROMPT).input_ids
        example = examples.build_example(*token_index.encode(tokenizer, TEXT), SPANS, examples.first_special_of(made))
        assert decoding.build_prompt(*example).tolist() == read
        assert read[0] == tokenizer.bos_token_id and read.count(tokenizer.bos_token_id) == 1
        tokenizer.backend_tokenizer.encode_special_tokens = False


def test_fillings_keep_the_blank_in_front(base):
    tokenizer = tokenization.make_tokenizer(base, None, 0)
    example = examples.build_example(*token_index.encode(tokenizer, TEXT), SPANS, examples.first_special_of(tokenizer))
    assert decoding.split_answers(tokenizer, *example) == [" leftover pasta", " lunch"]


def test_the_vocabulary_is_that_of_the_base(base):
    """So that the base's embeddings keep their meaning."""
    tokenizer = tokenization.make_tokenizer(base, None, 0)
    published_ids = AutoTokenizer.from_pretrained(base).get_vocab()
    assert {token: tokenizer.get_vocab()[token] for token in published_ids} == published_ids
    assert len(tokenizer) == len(published_ids) + 7


REFUSED = {
    "behind": (llama2, "<s> $A </s>", "it puts </s> behind each text, and so behind each prompt"),
    "split at whitespace": (xlm_roberta, "<s> $A", "it cuts a text with a blank in other pieces"),
    "lower case": (lower_case, "<s> $A", "it reads 'She ate leftover pasta for lunch.' and writes 'she ate"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_tokenizer_that_would_read_or_write_otherwise_is_refused(name, texts, tmp_path):
    make, template, reason = REFUSED[name]
    folder = published(make, texts, tmp_path / "base", template)
    with pytest.raises(ParameterError) as refused:
        tokenization.make_tokenizer(folder, None, 0)
    assert f"tokenizer: {folder} cannot be used, since {reason}" in str(refused.value)
    assert "Choose a causal language model" in str(refused.value)


def test_a_byte_level_tokenizer_is_left_as_it_is(texts, tmp_path):
    folder = published(llama3, texts, tmp_path / "base")
    states = []
    for tokenizer in [AutoTokenizer.from_pretrained(folder), tokenization.make_tokenizer(folder, None, 0)]:
        state = json.loads(tokenizer.backend_tokenizer.to_str())
        states.append({part: state[part] for part in ["normalizer", "pre_tokenizer", "decoder", "post_processor"]})
    assert states[0] == states[1]
