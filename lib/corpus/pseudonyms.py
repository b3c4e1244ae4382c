"""Learner ids replaced by keyed hashes, so that no result names a learner."""

import contextlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from lib.corpus import learners
from lib.errors import CorpusError

ROOT = Path(__file__).resolve().parents[2]  # the repository
KEY_HELP = (
    "Expected: a text file with a secret that only you can read. Put the old key back, or learners get other hashes "
    "than in earlier runs. Or delete the file, and a new key is made. Or name another file in ILM_CEFR_KEY."
)


def hash_learners(texts):
    """Learner ids as keyed hashes (HMAC-SHA-256, 16 hexadecimal digits), a Series.

    A text without learner id gets its text id instead. Raises CorpusError when the key cannot be read.
    """
    text_ids = texts["text_id"].astype(str)
    if not learners.any_learner_known(texts):
        return text_ids
    key = _learner_key()
    codes, names = pd.factorize(texts["learner_id"])
    hashes = np.array([hmac.digest(key, name.encode(), "sha256").hex()[:16] for name in names])
    return pd.Series(hashes[codes], index=texts.index).where(texts["learner_id"] != "", text_ids)


def _learner_key():
    """The secret key of the hashes. It lies outside the repository and is made on first use."""
    path = key_path()
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"The key of the learner ids, {path}, is unusable ({type(error).__name__}). {KEY_HELP}"
        ) from None
    if not key:
        raise CorpusError(f"The key of the learner ids, {path}, is empty. {KEY_HELP}")
    return key.encode()


def key_path():
    """The file of the key. A relative path in ILM_CEFR_KEY counts from the root of the repository."""
    default = Path.home() / ".config/ilm-cefr/learner.key"
    return ROOT / Path(os.environ.get("ILM_CEFR_KEY") or default).expanduser()


def key_fingerprint():
    """16 hexadecimal digits by which a key is recognised, and which do not reveal it. Raises as `hash_learners`."""
    return hmac.digest(_learner_key(), b"fingerprint of the key of learner ids", "sha256").hex()[:16]


def existing_key_fingerprint():
    """The same, or None where there is no usable key; none is made."""
    try:
        return key_fingerprint() if key_path().exists() else None
    except CorpusError:
        return None


def _refuse_in_repository(path):
    if path.resolve().is_relative_to(ROOT):
        raise CorpusError(
            f"A new key of the learner ids is not made inside the repository, where it would be shared: {path}. "
            "Expected: ILM_CEFR_KEY names a file elsewhere, or is not set."
        )


def _make_key(path):
    """Write a new key under its final name only when it is complete."""
    _refuse_in_repository(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:  # readable by its owner
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another run has made the key meanwhile, and its key is used
            os.link(file.name, path)
