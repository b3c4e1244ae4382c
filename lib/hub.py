"""The Hugging Face hub, used only where it can be reached."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def resolve(name):
    """A model's folder or name as given, but a folder below the repository's root is found from any folder."""
    below_root = ROOT / name
    return str(below_root) if below_root.is_dir() else name


def load_pretrained(kind, name, otherwise):
    """kind.from_pretrained of a folder or a name on the hub, without running code from there.

    Raises ValueError where it cannot be loaded. otherwise: the beginning of its message, which ends with one more
    thing to try.
    """
    name = resolve(name)
    if not os.path.exists(name):
        _use_cache_if_offline(name)
    try:
        return kind.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        more = "or load it once with a network and go on with HF_HUB_OFFLINE=1."
        raise ValueError(f"{otherwise}, {more}") from error


def _use_cache_if_offline(name):
    """Where the hub cannot be reached, use its local cache at once, not after a minute of retries.

    The cache is not tried first: from a cache with config.json alone, transformers makes a tokenizer without a
    vocabulary, and without an error.
    """
    from huggingface_hub import constants, model_info

    try:
        model_info(name, timeout=5)
    except (OSError, ValueError):
        pass  # the hub has answered, or is switched off
    except Exception:  # of the HTTP library
        constants.HF_HUB_OFFLINE = True
