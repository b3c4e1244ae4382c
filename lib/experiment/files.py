"""The one way in which a file of a run is written: whole, on the disk, and only then under its name."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
from pathlib import Path

import yaml

from lib.errors import WriteError
from lib.experiment import fault_injection

FAILED_WRITES = ["os error", "iostream error", "PytorchStreamWriter"]  # safetensors' and torch's words for an OSError


@contextlib.contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path`; on success it is flushed to disk and takes `path`'s name.

    A reader therefore sees the old file or the whole new one, never a part. The suffix is kept,
    since writers such as matplotlib choose the format by it. Raises WriteError, and then the old file stands.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{_own()}.tmp{path.suffix}")
    with reporting_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            sync(temporary)
            fault_injection.point(f"write {path.name}")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path, last):
    """Yield a temporary folder; on success its files move into `path` one by one, the file `last` at the end.

    The file `last` therefore vouches for the others: it is there only when they are.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{_own()}.tmp")
    with reporting_write_errors(path):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            path.mkdir(exist_ok=True)
            (path / last).unlink(missing_ok=True)
            for file in sorted(temporary.iterdir(), key=lambda file: file.name == last):
                sync(file)
                fault_injection.point(f"write {file.name}")
                os.replace(file, path / file.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _own():
    """A word of this process: on a shared disk the number alone may be another machine's, too."""
    return f"{socket.gethostname()}.{os.getpid()}"


@contextlib.contextmanager
def reporting_write_errors(path):
    """What the system says of a failed write, with the file and the way on."""
    try:
        yield
    except WriteError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not any(words in str(error) for words in FAILED_WRITES):
            raise
        raise WriteError(
            f"{path} could not be written: {getattr(error, 'strerror', None) or error}.\nWhat stood there before is "
            "whole. Make room, or make the folder writable, and give the same command again: it goes on from here."
        ) from error


def sync(path):
    """Wait until a file is on the disk, so that no name is given to what a power cut would empty."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def write_text(text, path):
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(content, path):
    write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_yaml(path):
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def file_hash(path, length=16):
    """The first `length` hexadecimal digits of a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:length]


def write_table(frame, path):
    """Write a data frame as .parquet or .csv (floats in shortest exact form), atomically."""
    with atomic_write(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path):
    """A table of this project: only an empty cell is missing, so the L1 or text "NA" stays text."""
    import pandas as pd  # here, since what only looks at files does without

    return pd.read_csv(path, keep_default_na=False, na_values=[""])
