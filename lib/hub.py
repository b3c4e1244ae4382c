"""Hugging Face's hub, asked only where it can be reached."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def resolve(name):
    """A model's folder or name as given, but a folder below the repository's root is found from any folder."""
    below_root = ROOT / name
    return str(below_root) if below_root.is_dir() else name


def load_pretrained(kind, name, otherwise):
    """kind.from_pretrained of a folder or a name on the hub; nobody's code is run. Raises ValueError, with the words of
    `otherwise` and one way on more, where it is not to be had."""
    name = resolve(name)
    if not os.path.exists(name):
        _be_quick(name)
    try:
        return kind.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        more = "or load it once with a network and go on with HF_HUB_OFFLINE=1."
        raise ValueError(f"{otherwise}, {more}") from error


def _be_quick(name):
    """Where the hub cannot be reached, let its local cache answer at once, not after a minute of retries.

    To ask the cache first would be no way: of a cache that holds config.json alone, transformers makes a tokenizer
    without a vocabulary and does not complain.
    """
    from huggingface_hub import constants, model_info

    try:
        model_info(name, timeout=5)
    except (OSError, ValueError):
        pass  # the hub has answered, or is not to be asked
    except Exception:  # of the HTTP library beneath
        constants.HF_HUB_OFFLINE = True
