"""Checkpoints that can be trusted: hashed when complete, refused when torn, damaged or of another training.

A training keeps them in one folder: made_from.json says of what training, each checkpoint-<step> holds what Hugging
Face's Trainer wrote and, last, a manifest. Nothing in them is read before its hash was compared.
"""

import json
import shutil
from pathlib import Path

from lib.errors import IncompatibleCheckpoint
from lib.experiment import fault_injection, manifest
from lib.experiment.files import file_hash, read_json, sync, write_json
from lib.models import loading

FINGERPRINT = "made_from.json"


def open_or_resume(folder, made_from):
    """Let `folder` hold the checkpoints of this training; returns the one to go on from, or None.

    made_from: a flat dict of all that decides its weights. What is torn, damaged or foreign is removed with a line
    that says so. Raises IncompatibleCheckpoint, with each difference, when what lies there was made from something
    else.
    """
    found = newest(folder)
    for broken in [one for one in folder.glob("checkpoint-*") if not is_valid(one)]:
        print(f"{broken} is incomplete or damaged, or was not made here: not used")
        shutil.rmtree(broken)
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(made_from, folder / FINGERPRINT)
    unlike = manifest.differences(read_json(folder / FINGERPRINT), made_from)
    if unlike:
        raise IncompatibleCheckpoint(
            f"{folder} holds a training that was cut off at step {step(found)} and was not this one:\n  "
            + "\n  ".join(unlike)
            + f"\nTo go on with it, undo these changes. To begin anew instead: rm -r '{folder}'\n"
            "Then give the same command again."
        )
    return found


def finalize(folder, facts):
    """Vouch for a complete checkpoint: flush its files to disk, then write their hashes and facts (a dict) beside."""
    folder = Path(folder)
    files = [path for path in sorted(folder.iterdir()) if path.name != manifest.MANIFEST]
    for path in files:
        sync(path)
    fault_injection.point("checkpoint")
    hashes = {path.name: file_hash(path) for path in files}
    own = {"folder": folder.name, "training": file_hash(folder.parent / FINGERPRINT), "files": hashes}
    write_json(own | facts, folder / manifest.MANIFEST)


def step(checkpoint):
    return int(checkpoint.name.rpartition("-")[2])


def newest(folder):
    """The last checkpoint in `folder` that is sound and whose best one is, or None."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=step, reverse=True):
        if is_valid(checkpoint) and is_valid(best(checkpoint)):
            return checkpoint
    return None


def is_valid(checkpoint):
    """Is every file as it was when this training sealed the checkpoint, under this name, after at least one step?"""
    try:
        sealed, training = read_json(checkpoint / manifest.MANIFEST), file_hash(checkpoint.with_name(FINGERPRINT))
        present = {path.name for path in checkpoint.iterdir()} - {manifest.MANIFEST}
        own = sealed["training"] == training and sealed["folder"] == checkpoint.name and step(checkpoint) > 0
        whole = present == set(sealed["files"])
        return own and whole and all(file_hash(checkpoint / name) == then for name, then in sealed["files"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def metadata(checkpoint):
    return read_json(checkpoint / manifest.MANIFEST)


def trainer_state(checkpoint):
    """The Trainer's own account: global_step, best_global_step, log_history, stateful_callbacks."""
    return json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))


def best(checkpoint):
    """The checkpoint with the best look so far, as `checkpoint` knows it; itself, if it came before any look."""
    return checkpoint.with_name(f"checkpoint-{trainer_state(checkpoint)['best_global_step'] or step(checkpoint)}")


def load_best(checkpoint, model):
    """Put the best weights that `checkpoint` knows of into model, every one of them."""
    loading.load_weights(model, best(checkpoint) / "model.safetensors")


def keep(checkpoint):
    """Keep the best weights so far apart, as they are when `checkpoint` is new; sealed, in kept-<step>."""
    folder = checkpoint.with_name(f"kept-{step(checkpoint)}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy2(best(checkpoint) / "model.safetensors", folder)
    finalize(folder, {})


def kept(folder, number):
    """The weights that a training stopped at step `number` would have left: those kept there, or, where it had ended
    before, its best ones. Raises ValueError when those kept are damaged."""
    apart = folder / f"kept-{number}"
    if not apart.exists():
        return best(newest(folder)) / "model.safetensors"
    if not is_valid(apart):
        raise ValueError(f"{apart} is damaged. Begin this model anew: rm -r '{folder}', and the same command again.")
    return apart / "model.safetensors"


def ended(checkpoint):
    """Had training come to its end there, by its budget or its patience?"""
    control = trainer_state(checkpoint)["stateful_callbacks"]["TrainerControl"]
    return (control["args"] | control["attributes"])["should_training_stop"]


def prune(checkpoint):
    """Keep the newest checkpoint, the one before it, and the best one; the others go."""
    others = sorted(checkpoint.parent.glob("checkpoint-*"), key=step)[:-2]
    for old in others:
        if old != best(checkpoint):
            shutil.rmtree(old)
