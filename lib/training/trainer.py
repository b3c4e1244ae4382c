"""Hugging Face's Trainer with what a long training needs: sealed checkpoints, a stop at NaN, smaller batches, news."""

import contextlib
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm
from transformers import Trainer, TrainerCallback

from lib.errors import Refusal
from lib.experiment import fault_injection
from lib.experiment.files import told, write_json
from lib.models import packing
from lib.training import checkpoints, distributed
from lib.training.dataset import last_step

TENSORBOARD = "ILM_CEFR_TENSORBOARD"  # environment variable: the folder for its logs, where they are wanted
WARNINGS = [signal.SIGUSR1, signal.SIGTERM]  # of the end: a cluster's before a time limit, and at a preemption


class CutOff(Refusal, RuntimeError):
    """The time of this process is up; what it has learned is saved."""


def reporting(model, seed):
    """Where the Trainer reports to beside its own log: TensorBoard where it was asked for, else nowhere.

    Raises ModuleNotFoundError, with the way on, when it was asked for and is not installed.
    """
    folder = os.environ.get(TENSORBOARD)
    if not folder:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ModuleNotFoundError(
            f"TensorBoard was asked for ({TENSORBOARD}={folder}) and is not installed. Install it with "
            "`.venv/bin/python -m pip install -e '.[tensorboard]'`, or leave it out: each model has its curve.csv, too."
        )
    os.environ["TENSORBOARD_LOGGING_DIR"] = os.path.join(folder, model, f"seed{seed}")  # which the Trainer reads
    return ["tensorboard"]


class CarefulTrainer(Trainer):
    """A Trainer over `Steps`. micro_batches: how many batches a step is cut into; doubled when memory runs out.

    began: when training would have begun, had it never been cut off (seconds of time.perf_counter); ending: whether
    this process has been warned that its time is up; told_to_end: whether any of a training's processes had been when
    the step was done.
    """

    micro_batches, began, ending, told_to_end = 1, 0.0, False, False

    @contextlib.contextmanager
    def warned(self):
        """Within, a signal of WARNINGS lets the step end, saves, and raises CutOff. To be used in the main thread."""

        def heard(*_):
            self.ending = True

        before = {number: signal.signal(number, heard) for number in WARNINGS}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    def _maybe_log_save_evaluate(self, *what, **how):
        ending = self.told_to_end
        self.control.should_save |= ending
        super()._maybe_log_save_evaluate(*what, **how)
        if ending:
            step = self.state.global_step
            raise CutOff(f"The time is up. Saved at step {step}: the same command goes on from there.")

    def training_step(self, model, inputs, num_items_in_batch=None):
        loss = self._own_share(model, inputs, num_items_in_batch)
        loss, self.told_to_end = distributed.together(model, loss, self.ending)
        return loss

    def _own_share(self, model, inputs, num_items_in_batch):
        while True:
            try:
                if self.micro_batches == 1:
                    return self._one(model, inputs, num_items_in_batch)
                parts = self.train_dataset.parts(self.state.global_step, self.micro_batches)
                return sum(self._one(model, packing.tensors(part), num_items_in_batch) for part in parts)
            except torch.OutOfMemoryError as error:
                self._smaller(model, error)

    def _one(self, *batch):
        """Losses and gradients of a step, or of a part of it: they add up, since loss weights are those of the step."""
        injected = fault_injection.point("step")
        if injected == "oom":
            raise torch.OutOfMemoryError("injected")
        if injected == "nan":
            self.finite(float("nan"))
        return super().training_step(*batch)

    def _smaller(self, model, error):
        """Forget half a step's gradients and cut it into twice as many batches; gives up at one example a batch."""
        model.zero_grad()
        if self.micro_batches >= self.train_dataset.settings.examples_per_step:
            raise MemoryError(
                f"Memory runs out at step {self.state.global_step} even with one example at a time. The last "
                "checkpoint is kept: free memory, or take a larger device, and give the same command again."
            ) from error
        self.micro_batches *= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def finite(self, loss, when="at"):
        """Raise FloatingPointError unless loss, a float, is a number; when: at this step, or at or before it."""
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} {when} step {self.state.global_step}. Nothing is saved of it; earlier "
                "checkpoints are kept.\nWith the same parameters it would come again. Lower learning_rate or clip in "
                f"the model's parameter file, and begin this model anew: rm -r '{self.args.output_dir}'"
            )

    def _save_checkpoint(self, model, trial):
        if distributed.number():
            return
        here = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with told(here):
            super()._save_checkpoint(model, trial)
        settings = self.train_dataset.settings
        if self.state.global_step in {last_step(settings, n) for n in settings.keep_at.values()}:
            checkpoints.keep(here)
        since_look = [self._tr_loss.item(), self._globalstep_last_logged]
        seconds = time.perf_counter() - self.began
        own = {"seconds": seconds, "since_look": since_look, "micro_batches": self.micro_batches}
        with told(here):
            checkpoints.seal(here, own)
        checkpoints.prune(here)

    def _load_rng_state(self, checkpoint):
        """Take up random numbers, and the sum of losses since the last look, which the Trainer itself would forget."""
        super()._load_rng_state(checkpoint)
        if checkpoint:
            loss, self._globalstep_last_logged = checkpoints.facts(Path(checkpoint))["since_look"]
            self._tr_loss += loss
        if distributed.number():  # other noise for other examples
            torch.manual_seed(torch.initial_seed() + 1000 * self.state.global_step + distributed.number())


class Progress(TrainerCallback):
    """One plain progress line, examples seen and the last valid perplexity; and an evaluation at the very end.

    Every few seconds, progress.json in `folder` says the same to those who look from outside.
    """

    def __init__(self, settings, label, folder):
        self.size, self.file, self.told = settings.examples_per_step, folder / "progress.json", 0.0
        self.ends = {last_step(settings, n) for n in [settings.examples, *settings.keep_at.values()]}
        how = {"mininterval": 5, "ncols": 100, "leave": False, "disable": distributed.number() > 0, "file": sys.stdout}
        self.bar = tqdm(total=settings.examples, desc=label, unit=" examples", **how)

    def on_train_begin(self, args, state, control, **_):
        self.first, self.since = state.global_step, time.time()
        self.bar.update(self.first * self.size)

    def on_step_end(self, args, state, control, **_):
        self.bar.update(self.size)
        if time.time() > self.told + 5 and not distributed.number():
            self.told = time.time()
            left = (self.told - self.since) / (state.global_step - self.first) * (state.max_steps - state.global_step)
            write_json({"step": state.global_step, "of": state.max_steps, "seconds_left": round(left)}, self.file)
        if state.global_step in self.ends:  # an end is looked at, wherever it falls
            control.should_evaluate = control.should_save = control.should_log = True

    def on_evaluate(self, args, state, control, metrics, **_):
        self.bar.set_postfix_str(f"valid perplexity {metrics['eval_perplexity']:.2f}", refresh=False)

    def on_train_end(self, *_, **__):
        self.bar.close()
