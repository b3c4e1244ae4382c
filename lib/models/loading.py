"""A trained model read from its folder, and the fingerprint of its weights."""

import hashlib

from safetensors.torch import load_file

from lib.experiment.files import read_json
from lib.models import compatibility, devices

UNBOUNDED = 10**9  # tokens
LONGEST_TRIED = 1024  # tokens of the example by which a model is tried


def silence_transformers():
    """Stop the progress bars and advice of transformers, which a notebook would keep for ever.

    Its warnings go too, so what they would tell is checked where it matters: see `load`.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_model(folder, kept=None):
    """The model that 03_train left in `folder`, ready to be asked; with `kept`, as its budget for that level left it.

    Raises ValueError when its weights are not the ones that train.json vouches for: transformers loads a damaged
    file without a word, and fills what is missing with random numbers.
    """
    from transformers import AutoModelForCausalLM  # here, since it takes seconds and the unigram floor needs none

    silence_transformers()
    model = AutoModelForCausalLM.from_pretrained(folder).to(devices.current_device().kind).eval()
    found, expected = fingerprint(model), read_json(folder / "train.json")["fingerprint"]
    if found != expected:
        raise ValueError(
            f"{folder} holds weights {found}, but its train.json speaks of {expected}. "
            "The folder was changed or damaged: remove it and run 03_train for this model again."
        )
    if kept:
        load_weights(model, folder / f"kept_{kept}.safetensors")
    return compatibility.check_and_adapt(model, min(LONGEST_TRIED, max_positions(model.config)))


def load_weights(model, file):
    """Put the weights in `file` into model, every one of them, by whatever names transformers saved them.

    Raises ValueError when one is missing.
    """
    saved, found = type(model).from_pretrained(
        None, config=model.config, state_dict=load_file(file), dtype=model.dtype, output_loading_info=True
    )
    if found["missing_keys"]:
        raise ValueError(f"{file} lacks weights: {', '.join(sorted(found['missing_keys']))}")
    model.load_state_dict(saved.state_dict())


def max_positions(config):
    """Tokens that a model can tell apart by their place; where nothing bounds them, more than any example has."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or UNBOUNDED


def fingerprint(model):
    """16 hexadecimal digits that name a model's weights."""
    sha = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(name.encode() + tensor.detach().float().cpu().numpy().tobytes())
    return sha.hexdigest()[:16]
