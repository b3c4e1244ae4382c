"""Checkpoints with hashes. Those that are incomplete, damaged or of another training are never loaded.

The checkpoints of a training are in one folder. fingerprint_inputs.json records what decides the weights of this
training. Each checkpoint-<step> holds what Hugging Face's Trainer wrote and a manifest, which is written last. Files
are read only after their hashes have been compared.
"""

import json
import shutil
from pathlib import Path

import pandas as pd

from lib.errors import IncompatibleCheckpoint
from lib.experiment import fault_injection, manifest
from lib.experiment.files import file_hash, read_json, sync, write_json, write_table
from lib.models import loading

FINGERPRINT = "fingerprint_inputs.json"
START = "start"  # folder of the weights before the first step


def open_or_resume(folder, fingerprint_inputs):
    """Prepare `folder` for the checkpoints of a training; returns the checkpoint to resume from, or None.

    fingerprint_inputs: a flat dict of all that decides the weights. Checkpoints that are incomplete, damaged or of
    another training are removed with a message. Raises IncompatibleCheckpoint, which lists the differences, if the
    folder belongs to a training with other inputs.
    """
    resume_from = newest(folder)
    for checkpoint in sorted(folder.glob("checkpoint-*")):
        if not is_valid(checkpoint):
            print(f"{checkpoint} is incomplete or damaged, or was not made here: not used")
            shutil.rmtree(checkpoint)
    if resume_from is None:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(fingerprint_inputs, folder / FINGERPRINT)
    differences = manifest.differences(read_json(folder / FINGERPRINT), fingerprint_inputs)
    if differences:
        raise IncompatibleCheckpoint(
            f"{folder} holds another training, which was cut off at step {step(resume_from)}:\n  "
            + "\n  ".join(differences)
            + f"\nTo resume that training, undo these changes. To start a new one: rm -r '{folder}'\n"
            "Then run the same command again."
        )
    return resume_from


def finalize(folder, metadata):
    """Certify a complete checkpoint: flush its files to disk, then write their hashes and metadata (a dict)."""
    folder = Path(folder)
    files = [path for path in sorted(folder.iterdir()) if path.name != manifest.MANIFEST]
    for path in files:
        sync(path)
    fault_injection.point("checkpoint")
    certificate = {
        "folder": folder.name,
        "training": file_hash(folder.parent / FINGERPRINT),
        "files": {path.name: file_hash(path) for path in files},
    }
    write_json(certificate | metadata, folder / manifest.MANIFEST)


def step(checkpoint):
    return int(checkpoint.name.rpartition("-")[2])


def newest(folder):
    """The last checkpoint in `folder` that is valid and whose best checkpoint is valid, or None."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=step, reverse=True):
        if is_valid(checkpoint) and is_valid(best(checkpoint)):
            return checkpoint
    return None


def is_valid(checkpoint):
    """Does its manifest name this training and this folder, with a step above 0, and do all files have their hashes?"""
    try:
        certificate = metadata(checkpoint)
        hashes = certificate["files"]
        if certificate["training"] != file_hash(checkpoint.with_name(FINGERPRINT)):
            return False
        if certificate["folder"] != checkpoint.name or step(checkpoint) == 0:
            return False
        if {path.name for path in checkpoint.iterdir()} != {manifest.MANIFEST, *hashes}:
            return False
        return all(file_hash(checkpoint / name) == expected for name, expected in hashes.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def metadata(checkpoint):
    return read_json(checkpoint / manifest.MANIFEST)


def trainer_state(checkpoint):
    """The Trainer's state: global_step, best_global_step, log_history, stateful_callbacks."""
    return json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))


def best(checkpoint):
    """The checkpoint with the lowest validation loss up to `checkpoint`; itself if none is better than the start."""
    return checkpoint.with_name(f"checkpoint-{trainer_state(checkpoint)['best_global_step'] or step(checkpoint)}")


def save_start(folder, model):
    """Keep the weights with which a training begins beside the checkpoints in `folder`."""
    model.save_pretrained(folder / START)


def best_weights(checkpoint):
    """The file of the best weights up to `checkpoint`: those of the start, unless an evaluation was better."""
    if not trainer_state(checkpoint)["best_global_step"]:
        return checkpoint.with_name(START) / "model.safetensors"
    return best(checkpoint) / "model.safetensors"


def load_best(checkpoint, model):
    """Load the best weights up to `checkpoint` into model."""
    loading.load_weights(model, best_weights(checkpoint))


def save_snapshot(checkpoint):
    """Copy the best weights up to `checkpoint`, which must be the newest, to snapshot-<step>, and certify the copy."""
    folder = checkpoint.with_name(f"snapshot-{step(checkpoint)}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy2(best_weights(checkpoint), folder)
    finalize(folder, {})


def snapshot_weights(folder, number):
    """The weights of a finished training as a budget of `number` steps would have left them.

    These are the snapshot of that step, or the best weights if training had stopped earlier. Raises ValueError if the
    snapshot is damaged.
    """
    snapshot = folder / f"snapshot-{number}"
    if not snapshot.exists():
        return best_weights(newest(folder))
    if not is_valid(snapshot):
        raise ValueError(f"{snapshot} is damaged. Train this model again: rm -r '{folder}', then the same command.")
    return snapshot / "model.safetensors"


def save_scores(folder, n_examples, scores):
    """Keep the scores of the validation texts after n_examples beside the checkpoints in `folder`."""
    write_table(scores[["text_id", "n_tokens", "nll_text"]], folder / f"scores-{n_examples}.parquet")


def read_scores(folder, score_at):
    """What `save_scores` kept at those of score_at that training has reached: text_id, n_tokens, nll_text, examples."""
    files = {n: folder / f"scores-{n}.parquet" for n in score_at}
    tables = [pd.read_parquet(file).assign(examples=n) for n, file in files.items() if file.exists()]
    return pd.concat(tables, ignore_index=True) if tables else None


def has_ended(checkpoint):
    """Had training ended at this checkpoint, by its budget or by early stopping?"""
    control = trainer_state(checkpoint)["stateful_callbacks"]["TrainerControl"]
    return (control["args"] | control["attributes"])["should_training_stop"]


def prune(checkpoint):
    """Delete all checkpoints except the newest, the one before it, and the best one."""
    for old in sorted(checkpoint.parent.glob("checkpoint-*"), key=step)[:-2]:
        if old != best(checkpoint):
            shutil.rmtree(old)
