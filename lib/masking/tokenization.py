"""The tokenizer of an experiment: trained on its texts or a published one, with ILM's special tokens added."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from lib import hub
from lib.masking.examples import SPECIALS, first_special_of


def make_tokenizer(name, training_texts, vocabulary_size):
    """The tokenizer of an experiment, in which ILM's seven special tokens have the last ids.

    name: "bpe" trains a byte-level BPE of vocabulary_size tokens on training_texts. Any other name is a Hugging Face
    name or folder. Raises ValueError if it is not a fast tokenizer: blanks are found by its character offsets.
    """
    tokenizer = _train_bpe(training_texts, vocabulary_size) if name == "bpe" else _load_published(name)
    if not tokenizer.is_fast:
        raise ValueError(f"tokenizer {name} has no character offsets; choose one with a tokenizer.json")
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    return tokenizer


def load_run_tokenizer(run):
    """(tokenizer, id of its first special token) of a run, as 02_mask saved it. It is recorded as an input."""
    from transformers import AutoTokenizer  # imported here: it imports torch, which 02_mask does not need

    tokenizer = AutoTokenizer.from_pretrained(run.require(run.tokenizer, "02_mask"))
    return tokenizer, first_special_of(tokenizer)


def _load_published(name):
    from transformers import AutoTokenizer  # as above

    message = f"tokenizer: {name} is not a folder with a tokenizer and cannot be loaded from Hugging Face. "
    return hub.load_pretrained(AutoTokenizer, name, message + "Give the path of a folder in masks.yaml")


def _train_bpe(training_texts, vocabulary_size):
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # all 256 bytes, so no character is unknown
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=end, eos_token=end)
