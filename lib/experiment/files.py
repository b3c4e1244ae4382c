"""Atomic writing of files: a file gets its name when it is complete and on the disk. Also reading, and hashes."""

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

FAILED_WRITES = ["os error", "iostream error", "PytorchStreamWriter"]  # in messages of safetensors and torch


@contextlib.contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path`; on success it is flushed to disk and takes `path`'s name.

    A reader therefore sees the old file or the whole new one, never a part. The suffix is kept,
    since writers such as matplotlib choose the format by it. Raises WriteError; the old file is kept then.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{_process_name()}.tmp{path.suffix}")
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

    So where the file `last` exists, all others do. Files of an earlier result that have no successor are removed.
    `path` may be a link to a folder on another disk.
    """
    path = Path(path)
    target = path.resolve()  # the temporary folder is to be on the same disk
    temporary = target.with_name(f".{target.name}.{_process_name()}.tmp")
    with reporting_write_errors(path):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            target.mkdir(exist_ok=True)
            (target / last).unlink(missing_ok=True)
            _remove_others(target, {file.name for file in temporary.iterdir()})
            for file in sorted(temporary.iterdir(), key=lambda file: file.name == last):
                sync(file)
                fault_injection.point(f"write {file.name}")
                os.replace(file, target / file.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _remove_others(folder, names):
    for file in folder.iterdir():
        if file.is_file() and file.name not in names:
            file.unlink()


def _process_name():
    """A name of this process that no other has: on a shared disk, another machine may have the same process id."""
    return f"{socket.gethostname()}.{os.getpid()}"


@contextlib.contextmanager
def reporting_write_errors(path):
    """Within, a failed write raises WriteError, which names the file, the reason and what to do."""
    try:
        yield
    except WriteError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not any(words in str(error) for words in FAILED_WRITES):
            raise
        reason = getattr(error, "strerror", None) or error
        raise WriteError(
            f"{path} could not be written: {reason}.\nThe file that was there before is unchanged. "
            "Make room, or make the folder writable, and give the same command again: it goes on from here."
        ) from error


def walk(top):
    """Yield all files and folders below top, also behind links to other disks."""
    for folder, names, files in os.walk(top, followlinks=True):
        yield from (Path(folder, name) for name in [*names, *files])
        names[:] = [name for name in names if not _leads_upwards(os.path.join(folder, name))]


def _leads_upwards(path):
    """Is this a link to a folder that contains it? It would be followed for ever."""
    above = Path(path).parent.resolve()
    return os.path.islink(path) and above.is_relative_to(os.path.realpath(path))


def make_private(*folders):
    """Let nobody else read these folders (mode 700), as far as this user may say so."""
    for folder in folders:
        with contextlib.suppress(PermissionError):
            os.chmod(folder, 0o700)


def sync(path):
    """Wait until a file is on the disk, so that a power cut does not leave an empty file under its name."""
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
    """A table of this project: only an empty cell is missing, so the first language or text "NA" stays text."""
    import pandas as pd  # here, since pandas is slow to import and many modules do without

    return pd.read_csv(path, keep_default_na=False, na_values=[""])
