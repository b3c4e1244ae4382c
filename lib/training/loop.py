"""The training of one model: Hugging Face's Trainer with ILM's loss, early stopping and checkpoints."""

import time

import pandas as pd
import torch
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments

from lib.evaluation import scoring
from lib.experiment import code_hashes, lock
from lib.experiment.files import reporting_write_errors
from lib.models import devices, loading, packing
from lib.training import checkpoints, distributed, launch
from lib.training.callbacks import Checkpoints, LearningCurve, Progress, ReseedOnResume, ValidationScores, report_to
from lib.training.trainer import ILMTrainer, infill_loss, perplexity

# names of the Trainer's log and of the columns of a curve
LOGGED = {"loss": "train_loss", "eval_infill_loss": "valid_loss", "eval_perplexity": "valid_perplexity"}
CURVE = ["examples", *LOGGED.values()]


def train(model, steps, valid, settings, seed, folder, label, inputs):
    """Train a model in place with early stopping on the validation loss; it ends with the best weights, which may be
    those that it began with.

    valid: (keys, tokens, roles) as `scoring.frozen_examples` returns them; folder: of the checkpoints, from the newest
    valid one of which training resumes; label: of the progress bar; inputs: {name: hash} of what else decides the
    weights. Returns (curve, run_info). curve has one row for each evaluation, step 0 included: examples, train_loss,
    valid_loss and valid_perplexity (of answer tokens). run_info: seconds in all, resumed_at (a step or None) and
    micro_batches. A budget of 0 leaves the model as it is. Raises NonFiniteLoss, OutOfMemory if not even one example
    fits, TrainingInterrupted after a stop signal, ExperimentRunning while another process trains the same, and what
    checkpoints.open_or_resume raises.
    """
    if settings.max_examples == 0:
        scores = scoring.score(model, *valid)
        row = {"examples": 0, "valid_loss": infill_loss(scores), "valid_perplexity": perplexity(scores)}
        return pd.DataFrame([row]).reindex(columns=CURVE), {"seconds": 0.0, "resumed_at": None, "micro_batches": 1}
    with lock.training(folder):
        return _train(model, steps, valid, settings, seed, folder, label, inputs)


def _train(model, steps, valid, settings, seed, folder, label, inputs):
    """`train` of a model with a budget, while the lock is held."""
    checkpoint = checkpoints.open_or_resume(folder, _fingerprint_inputs(model, settings, seed, inputs))
    checkpoints.save_start(folder, model)
    started = time.perf_counter()
    if checkpoint:
        started -= checkpoints.metadata(checkpoint)["seconds"]
    use_cache = model.config.use_cache
    if checkpoint is None or not checkpoints.has_ended(checkpoint):
        arguments = {"model": model, "steps": steps, "valid": valid, "settings": settings, "seed": seed}
        arguments |= {"folder": folder, "label": label, "checkpoint": checkpoint}
        if settings.devices == 1:
            run(**arguments)
        else:
            launch.launch(run, settings.devices, **arguments)
    seconds = time.perf_counter() - started
    model.config.use_cache = use_cache  # the Trainer turns it off; saved models need it on
    last = checkpoints.newest(folder)
    log = checkpoints.trainer_state(last)["log_history"]
    evaluations = curve(log, settings.examples_per_step, len(steps.order))
    checkpoints.load_best(last, model)
    run_info = {
        "seconds": round(seconds, 1),
        "resumed_at": checkpoints.step(checkpoint) if checkpoint else None,
        "micro_batches": checkpoints.metadata(last)["micro_batches"],
    }
    return evaluations, run_info


def training_device(settings):
    """The `devices.Device` on which a training computes, and in which precision. Raises DeviceUnavailable."""
    return devices.training_device(settings.precision)


def _fingerprint_inputs(model, settings, seed, inputs):
    """All that decides the weights of a training, as a flat dict."""
    parameters = {name: value for name, value in vars(settings).items() if name not in ("seeds", "devices")}
    parameters["precision"] = training_device(settings).precision  # in place of auto
    code = code_hashes.module_hashes("lib.training.loop", "lib.training.dataset", "lib.masking.text_sample")
    initial = {"seed": seed, "initial weights": loading.fingerprint(model)}
    return parameters | initial | inputs | {"torch": torch.__version__} | code


def run(model, steps, valid, settings, seed, folder, label, checkpoint):
    """Train to the end from `checkpoint` or from step 0, in this process or as one of several (`distributed`)."""
    steps.rank = distributed.rank()
    steps.world_size = settings.devices
    trainer = _trainer(model, steps, valid, settings, seed, folder, label, checkpoint)
    if distributed.rank():  # other random numbers (of dropout) for other examples
        torch.manual_seed(torch.initial_seed() + distributed.rank())
    try:
        with trainer.training_state.stopping_on_signals():
            trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    except Exception:
        with reporting_write_errors(folder / f"checkpoint-{trainer.state.global_step}"):  # the disk may be full
            raise


def _trainer(model, steps, valid, settings, seed, folder, label, checkpoint):
    every = settings.eval_every // settings.examples_per_step
    arguments = TrainingArguments(
        output_dir=str(folder),
        seed=seed,
        max_steps=len(steps),
        per_device_train_batch_size=1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        max_grad_norm=settings.max_grad_norm,
        eval_strategy="steps",
        eval_steps=every,
        eval_on_start=checkpoint is None,
        save_strategy="steps",
        save_steps=every,
        metric_for_best_model="infill_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        logging_steps=every,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        disable_tqdm=True,
        train_sampling_strategy="sequential",
        report_to=report_to(settings.model, seed),
        **packing.loader_workers(),
    )
    trainer = ILMTrainer(
        model=model,
        args=arguments,
        train_dataset=steps,
        eval_dataset=valid,
        data_collator=lambda batches: packing.to_tensors(batches[0]),
        callbacks=[EarlyStoppingCallback(settings.patience)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints every log as a dict
    trainer.add_callback(Progress(settings, label, folder))
    trainer.add_callback(LearningCurve(settings, seed, label))
    trainer.add_callback(ValidationScores(trainer.training_state, settings, valid))
    trainer.add_callback(Checkpoints(trainer.training_state, settings))  # after Progress, which requests some of them
    if checkpoint:
        trainer.training_state.restore(checkpoints.metadata(checkpoint))
        trainer.add_callback(ReseedOnResume(checkpoints.step(checkpoint)))
    return trainer


def curve(log, examples_per_step, budget):
    """The Trainer's log as a table with one row for each evaluation; train_loss: mean since the evaluation before."""
    rows = {}
    for entry in log:
        row = rows.setdefault(entry["step"], {"examples": min(entry["step"] * examples_per_step, budget)})
        row.update({LOGGED[key]: value for key, value in entry.items() if key in LOGGED})
    return pd.DataFrame(rows.values()).reindex(columns=CURVE)


def outcome(curve):
    """Losses at the start and at the best evaluation, whose weights are kept, and where training stopped.

    The start counts as an evaluation: where no later one is better, a model keeps the weights that it began with.
    """
    start = curve.iloc[0]
    best = curve.loc[curve["valid_loss"].idxmin()]
    return {
        "start_loss": start["valid_loss"],
        "start_perplexity": start["valid_perplexity"],
        "valid_loss": best["valid_loss"],
        "valid_perplexity": best["valid_perplexity"],
        "best_at": int(best["examples"]),
        "stopped_at": int(curve["examples"].iloc[-1]),
    }
