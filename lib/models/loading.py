"""A trained model read from its folder, and the fingerprint of its weights."""

import hashlib

from safetensors.torch import load_file

from lib.experiment.files import read_json
from lib.models import compatibility, devices

UNBOUNDED = 10**9  # tokens
MAX_CHECKED_LENGTH = 1024  # tokens of the example on which packing is tested


def silence_transformers():
    """Stop the progress bars and warnings of transformers, which would stay in a notebook's outputs.

    What its warnings would say about damaged weights is checked instead: see `load_model`.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_model(folder, snapshot=None):
    """The model that 03_train wrote to `folder`, in evaluation mode, on the current device.

    snapshot: a level of `snapshot_at`; the weights are then those saved after that level's number of examples.
    Raises ValueError if the weights are not those that train.json certifies: transformers loads a damaged file without
    an error, and fills missing weights with random numbers.
    """
    from transformers import AutoModelForCausalLM  # here, since it takes seconds and the unigram baseline needs none

    silence_transformers()
    model = AutoModelForCausalLM.from_pretrained(folder).to(devices.current_device().kind).eval()
    found = fingerprint(model)
    expected = read_json(folder / "train.json")["fingerprint"]
    if found != expected:
        raise ValueError(
            f"{folder} holds weights {found}, but its train.json names {expected}. "
            "The folder was changed or damaged: remove it and run 03_train for this model again."
        )
    if snapshot:
        load_weights(model, folder / f"kept_{snapshot}.safetensors")
    return compatibility.check_and_adapt(model, min(MAX_CHECKED_LENGTH, max_positions(model.config)))


def load_weights(model, file):
    """Replace all weights of model by those in `file`, under whatever names transformers saved them.

    Raises ValueError if one is missing.
    """
    saved, report = type(model).from_pretrained(
        None, config=model.config, state_dict=load_file(file), dtype=model.dtype, output_loading_info=True
    )
    if report["missing_keys"]:
        raise ValueError(f"{file} lacks weights: {', '.join(sorted(report['missing_keys']))}")
    model.load_state_dict(saved.state_dict())


def max_positions(config):
    """The number of tokens that a model can read, as far as its position embeddings limit it; else UNBOUNDED."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or UNBOUNDED


def fingerprint(model):
    """16 hexadecimal digits that identify a model's weights."""
    sha = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(name.encode() + tensor.detach().float().cpu().numpy().tobytes())
    return sha.hexdigest()[:16]
