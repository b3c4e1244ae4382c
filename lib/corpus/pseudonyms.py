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
KEY = (
    "Expected: a text file with a secret, readable by you alone. Put back the one you had, else learners get other "
    "hashes than in earlier runs; or delete it and a new one is made; or name another file in ILM_CEFR_KEY."
)


def hash_learners(texts):
    """Learner ids as keyed hashes (HMAC-SHA-256, 16 digits); a text without learner id keeps its own id in that place.

    Raises CorpusError when the key cannot be read.
    """
    own = texts["text_id"].astype(str)
    if not learners.is_known(texts):
        return own
    key, (number, names) = _learner_key(), pd.factorize(texts["learner_id"])
    hashes = np.array([hmac.digest(key, name.encode(), "sha256").hex()[:16] for name in names])
    return pd.Series(hashes[number], index=texts.index).where(texts["learner_id"] != "", own)


def _learner_key():
    """The secret that learner ids are hashed with: outside the repository, made on first use, whole or not at all."""
    path = key_path()
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"The key of the learner ids, {path}, is unusable ({type(error).__name__}). {KEY}") from None
    if not key:
        raise CorpusError(f"The key of the learner ids, {path}, is empty. {KEY}")
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
    _refuse_in_repository(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:  # for its owner only
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another run made the key meanwhile: that one counts
            os.link(file.name, path)
