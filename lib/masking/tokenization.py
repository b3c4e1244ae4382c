"""The tokenizer of an experiment: trained on its texts, or a published one, with ILM's special tokens."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from lib import hub
from lib.masking.examples import SPECIALS, first_special_of


def make_tokenizer(name, training_texts, vocabulary):
    """The tokenizer of an experiment with ILM's seven special tokens behind its last id.

    name: "bpe" trains a byte-level BPE of `vocabulary` tokens on training_texts; else a Hugging Face name or folder,
    which must be a fast tokenizer (its character offsets place the blanks).
    """
    base = _train_bpe(training_texts, vocabulary) if name == "bpe" else _published(name)
    if not base.is_fast:
        raise ValueError(f"tokenizer {name} gives no character offsets; choose one with a tokenizer.json")
    base.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    return base


def load_run_tokenizer(run):
    """(tokenizer, id of its first special token) of a run, as 02_mask left it; it counts as an input."""
    from transformers import AutoTokenizer  # here, since it brings torch along, which 02_mask does without

    tokenizer = AutoTokenizer.from_pretrained(run.require(run.tokenizer, "02_mask"))
    return tokenizer, first_special_of(tokenizer)


def _published(name):
    from transformers import AutoTokenizer  # as above

    absent = f"tokenizer: {name} is no folder with a tokenizer, and not to be had from Hugging Face. "
    return hub.load_pretrained(AutoTokenizer, name, absent + "Give the path of a folder in masks.yaml")


def _train_bpe(training_texts, vocabulary):
    coder = Tokenizer(models.BPE())
    coder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    coder.post_processor = processors.ByteLevel(trim_offsets=False)
    coder.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()  # all 256 bytes, so nothing is ever unknown
    end, how = "<|endoftext|>", {"initial_alphabet": alphabet, "show_progress": False}
    coder.train_from_iterator(training_texts, trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=[end], **how))
    return PreTrainedTokenizerFast(tokenizer_object=coder, bos_token=end, eos_token=end)
