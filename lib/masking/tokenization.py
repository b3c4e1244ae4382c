"""The tokenizer of an experiment: trained on its texts or a published one, with ILM's special tokens added."""

import json

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from lib import hub
from lib.errors import ParameterError
from lib.masking import token_index
from lib.masking.examples import CONTEXT, CONTEXT_SPECIAL, SEPARATOR, SPECIALS, build_example, first_special_of
from lib.masking.masks import WORD

PROBE = "She ate leftover pasta for lunch."


def make_tokenizer(name, training_texts, vocabulary_size):
    """The tokenizer of an experiment, in which ILM's seven special tokens have the last ids.

    name: "bpe" trains a byte-level BPE of vocabulary_size tokens on training_texts. Any other name is a Hugging Face
    name or folder. Raises ValueError if it is not a fast tokenizer: blanks are found by its character offsets. Raises
    ParameterError for a tokenizer that would read prompts in other pieces than training does.
    """
    tokenizer = _train_bpe(training_texts, vocabulary_size) if name == "bpe" else _load_published(name)
    if not tokenizer.is_fast:
        raise ValueError(f"tokenizer {name} has no character offsets; choose one with a tokenizer.json")
    tokenizer = _mark_blanks_once(tokenizer)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    difference = _difference(tokenizer)
    if difference:
        raise ParameterError(
            f"tokenizer: {name} cannot be used, since {difference}. Choose a causal language model whose tokenizer is "
            "byte-level (GPT-2, Llama 3, Qwen, SmolLM) or SentencePiece's as in Llama 2 and Gemma."
        )
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


def _mark_blanks_once(tokenizer):
    """A tokenizer that marks blanks by "▁" (SentencePiece) so that pieces are the same in a text and beside a blank.

    As published, some add the mark to the words after each special token, and drop the blank in front when they decode.
    Here it is added to the first word of a text only, and never dropped. Others are returned as they are.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    prepends = any(part["type"] == "Prepend" for part in _parts(state["normalizer"]))
    if prepends:
        state["normalizer"] = _without(state["normalizer"], "Prepend")
        state["pre_tokenizer"] = {
            "type": "Metaspace",
            "replacement": token_index.BLANK,
            "prepend_scheme": "first",
            "split": False,
        }
    if not state["pre_tokenizer"] or state["pre_tokenizer"]["type"] != "Metaspace":
        return tokenizer
    if state["pre_tokenizer"]["prepend_scheme"] == "always":
        state["pre_tokenizer"]["prepend_scheme"] = "first"
    state["decoder"] = _without(state["decoder"], "Strip")
    for part in _parts(state["decoder"]):
        if part["type"] == "Metaspace":
            part["prepend_scheme"] = "never"
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)), **tokenizer.special_tokens_map
    )


def _parts(component):
    """The components of a tokenizer.json's component, which may be a sequence or absent."""
    if component is None:
        return []
    for name in ["normalizers", "decoders"]:
        if name in component:
            return component[name]
    return [component]


def _without(component, kind):
    """A component without its parts of a kind; None where nothing is left."""
    kept = [part for part in _parts(component) if part["type"] != kind]
    if len(kept) == len(_parts(component)):
        return component
    if len(kept) <= 1:
        return kept[0] if kept else None
    return {key: kept if isinstance(value, list) else value for key, value in component.items()}


def _difference(tokenizer):
    """A sentence on how a tokenizer reads a prompt otherwise than training does, or otherwise writes; or nothing."""
    ids, starts, ends = token_index.encode(tokenizer, PROBE)
    if ends[-1] == 0:
        return f"it puts {tokenizer.decode(ids[-1:])} behind each text, and so behind each prompt"
    in_text = tokenizer.decode(ids[ends > 0])
    if in_text.removeprefix(" ") != PROBE:
        return f"it reads {PROBE!r} and writes {in_text!r}"
    tokenizer.backend_tokenizer.encode_special_tokens = False  # `encode` reads their names as plain characters
    for word in PROBE.rstrip(".").split():
        span = np.array([[WORD, PROBE.index(word), len(word)]], np.int32)
        tokens, roles = build_example(ids, starts, ends, span, first_special_of(tokenizer))
        trained = tokens[np.isin(roles, [CONTEXT, CONTEXT_SPECIAL, SEPARATOR])]
        prompt = PROBE.replace(word, SPECIALS[-1]).replace(f" {SPECIALS[-1]}", SPECIALS[-1]) + SPECIALS[0]
        pieces = [_pieces(tokenizer, found) for found in (tokenizer(prompt).input_ids, trained.tolist())]
        if pieces[0] != pieces[1]:
            return f"it cuts a text with a blank in other pieces ({pieces[0]}) than the text without ({pieces[1]})"
    return ""


def _pieces(tokenizer, ids):
    """Tokens in a line, without "Ġ" alone: a byte-level blank whose word begins with a rare letter."""
    return " ".join(piece for piece in tokenizer.convert_ids_to_tokens(ids) if piece != "Ġ")


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
