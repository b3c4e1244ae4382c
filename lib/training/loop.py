"""One model's training: Hugging Face's Trainer with ILM's loss, and the folder it leaves."""

import time

import pandas as pd
import torch
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments

from lib.evaluation import scoring
from lib.experiment import code_hashes
from lib.experiment.files import reporting_write_errors
from lib.models import loading, packing
from lib.training import checkpoints, distributed, launch
from lib.training.callbacks import Checkpoints, Curve, OtherNoise, Progress, reporting
from lib.training.trainer import ILMTrainer, infill_loss, perplexity

CURVE = ["examples", "train_loss", "valid_loss", "valid_perplexity"]


def train(model, steps, valid, settings, seed, folder, label, inputs):
    """Train in place, stop early on the valid infill loss, and end with the best weights seen.

    valid: (keys, tokens, roles) as scoring.frozen_examples returns them; folder: of the checkpoints, from the newest
    sound one of which training goes on; inputs: {name: hash} of what else decides the weights. Returns (curve, how):
    curve has one row an evaluation, step 0 included: examples, train_loss, valid_loss and valid_perplexity (of answer
    tokens); how: seconds in all, resumed_at (a step or None), micro_batches. Raises NonFiniteLoss when a loss is
    not finite, OutOfMemory when not even one example fits, TrainingInterrupted when a signal says that the time is up,
    and what checkpoints.claim raises. A budget of 0 leaves the model as it is.
    """
    if settings.max_examples == 0:
        scores = scoring.score(model, *valid)
        row = {"examples": 0, "valid_loss": infill_loss(scores), "valid_perplexity": perplexity(scores)}
        return pd.DataFrame([row]).reindex(columns=CURVE), {"seconds": 0.0, "resumed_at": None, "micro_batches": 1}
    made_from = {name: value for name, value in vars(settings).items() if name not in ("seeds", "devices")}
    made_from |= {"seed": seed, "first weights": loading.fingerprint(model)}
    made_from |= (
        inputs | {"torch": torch.__version__} | code_hashes.module_hashes("lib.training.loop", "lib.training.dataset")
    )
    found = checkpoints.open_or_resume(folder, made_from)
    began = time.perf_counter() - (checkpoints.metadata(found)["seconds"] if found else 0)
    use_cache = model.config.use_cache
    if found is None or not checkpoints.ended(found):
        task = {"settings": settings, "seed": seed, "folder": folder, "label": label, "found": found}
        task |= {"model": model, "steps": steps, "valid": valid}
        run(**task) if settings.devices == 1 else launch.launch(run, settings.devices, **task)
    seconds, last = time.perf_counter() - began, checkpoints.newest(folder)
    model.config.use_cache = use_cache  # the Trainer turns it off, and would leave it so for all who use the model
    checkpoints.load_best(last, model)
    how = {"seconds": round(seconds, 1), "resumed_at": found and checkpoints.step(found)}
    table = curve(checkpoints.trainer_state(last)["log_history"], settings.examples_per_step, len(steps.order))
    return table, how | {"micro_batches": checkpoints.metadata(last)["micro_batches"]}


def run(model, steps, valid, settings, seed, folder, label, found):
    """Train from `found`, a checkpoint or None, to the end: in this process, or as one of several (distributed.py)."""
    steps.share = distributed.rank(), settings.devices
    trainer = _trainer(model, steps, valid, settings, seed, folder, label, found)
    if distributed.rank():  # other noise for other examples
        torch.manual_seed(torch.initial_seed() + distributed.rank())
    try:
        with trainer.course.warned():
            trainer.train(resume_from_checkpoint=found and str(found))
    except Exception:
        with reporting_write_errors(
            folder / f"checkpoint-{trainer.state.global_step}"
        ):  # where the disk may have been full
            raise


def _trainer(model, steps, valid, settings, seed, folder, label, found):
    every = settings.eval_every // settings.examples_per_step
    arguments = TrainingArguments(
        output_dir=str(folder), seed=seed, max_steps=len(steps), per_device_train_batch_size=1,
        learning_rate=settings.learning_rate, lr_scheduler_type=settings.schedule, max_grad_norm=settings.max_grad_norm,
        eval_strategy="steps", eval_steps=every, eval_on_start=found is None, save_strategy="steps", save_steps=every,
        metric_for_best_model="infill_loss", greater_is_better=False, restore_callback_states_from_checkpoint=True,
        logging_steps=every, logging_nan_inf_filter=False, remove_unused_columns=False, disable_tqdm=True,
        train_sampling_strategy="sequential", report_to=reporting(settings.model, seed), **packing.loader_workers(),
    )  # fmt: skip
    trainer = ILMTrainer(
        model=model, args=arguments, train_dataset=steps, eval_dataset=valid,
        data_collator=lambda items: packing.to_tensors(items[0]), callbacks=[EarlyStoppingCallback(settings.patience)],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # it prints every log as a dict
    trainer.add_callback(Progress(settings, label, folder))
    trainer.add_callback(Curve(settings, seed, label))
    trainer.add_callback(Checkpoints(trainer.course, settings))  # after Progress, which asks for some of them
    if found:
        trainer.course.go_on(checkpoints.metadata(found))
        trainer.add_callback(OtherNoise(checkpoints.step(found)))
    return trainer


def curve(log, examples_per_step, budget):
    """The Trainer's log as a table, one row an evaluation; train_loss is the mean since the row before."""
    rows = {}
    for entry in log:
        row = rows.setdefault(entry["step"], {"examples": min(entry["step"] * examples_per_step, budget)})
        names = {"loss": "train_loss", "eval_infill_loss": "valid_loss", "eval_perplexity": "valid_perplexity"}
        row.update({names[key]: value for key, value in entry.items() if key in names})
    return pd.DataFrame(rows.values()).reindex(columns=CURVE)


def outcome(curve):
    """What training came to, from its curve. The weights kept are those of the best look after the start, if any."""
    start, looks = curve.iloc[0], curve.iloc[min(1, len(curve) - 1) :]
    best = looks.loc[looks["valid_loss"].idxmin()]
    return {
        "start_loss": start["valid_loss"],
        "start_perplexity": start["valid_perplexity"],
        "valid_loss": best["valid_loss"],
        "valid_perplexity": best["valid_perplexity"],
        "best_at": int(best["examples"]),
        "stopped_at": int(looks["examples"].iloc[-1]),
    }
