"""Hugging Face's Trainer with ILM's loss and what a long training needs: smaller batches, a stop at NaN, a warning.

Only what transformers documents as its own is overridden or used here and in `callbacks`.
"""

import contextlib
import functools
import signal
import time
from pathlib import Path

import numpy as np
import torch
from transformers import Trainer

from lib.errors import NonFiniteLoss, OutOfMemory
from lib.evaluation import scoring
from lib.experiment import fault_injection
from lib.models import devices, loading, packing
from lib.training import distributed

WARNINGS = [signal.SIGUSR1, signal.SIGTERM]  # of the end: a cluster's before a time limit, and at a preemption


class Course:
    """What a training knows of itself beside what the Trainer saves; apart from it, so that callbacks do not hold it.

    micro_batches: how many batches a step is cut into; doubled when memory runs out. began: when training would have
    begun, had it never been cut off (seconds of time.perf_counter). loss: the sum of the steps' losses after step
    last_look, which the Trainer forgets when it is cut off. ending: whether this process has been warned that its time
    is up; told_to_end: whether any of a training's processes had been when the step was done.
    """

    def __init__(self):
        self.micro_batches, self.began = 1, time.perf_counter()
        self.loss, self.last_look = 0.0, 0
        self.ending, self.told_to_end = False, False

    def facts(self):
        """What a checkpoint is to hold of it: a dict."""
        seconds = time.perf_counter() - self.began
        since_look = [float(self.loss), self.last_look]
        return {"seconds": seconds, "since_look": since_look, "micro_batches": self.micro_batches}

    def go_on(self, facts):
        """Take up what a checkpoint held."""
        self.began -= facts["seconds"]
        self.loss, self.last_look = facts["since_look"]

    @contextlib.contextmanager
    def warned(self):
        """Within, a signal of WARNINGS lets the step end, saves, and raises TrainingInterrupted. To be used in the main
        thread."""

        def heard(*_):
            self.ending = True

        before = {number: signal.signal(number, heard) for number in WARNINGS}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)


class ILMTrainer(Trainer):
    """Trainer whose step is one item of `Steps` and whose evaluation is the infill loss on frozen valid masks."""

    def __init__(self, **how):
        self.course = Course()
        super().__init__(**how)

    def _load_from_checkpoint(self, folder, model=None):
        """The Trainer's own would pass over weights that have other names on disk, with a warning."""
        loading.load_weights(model or self.model, Path(folder) / "model.safetensors")

    def training_step(self, model, inputs, num_items_in_batch=None):
        loss = self._own_share(model, inputs, num_items_in_batch)
        loss, self.course.told_to_end = distributed.all_reduce_step(model, loss, self.course.ending)
        self.course.loss += loss
        return loss

    def _own_share(self, model, inputs, num_items_in_batch):
        while True:
            try:
                if self.course.micro_batches == 1:
                    return self._one(model, inputs, num_items_in_batch)
                parts = self.train_dataset.micro_batches(self.state.global_step, self.course.micro_batches)
                return sum(self._one(model, packing.to_tensors(part), num_items_in_batch) for part in parts)
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
        if self.course.micro_batches >= self.train_dataset.settings.examples_per_step:
            raise OutOfMemory(
                f"Memory runs out at step {self.state.global_step} even with one example at a time. The last "
                "checkpoint is kept: free memory, or take a larger device, and give the same command again."
            ) from error
        self.course.micro_batches *= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def finite(self, loss, when="at"):
        """Raise NonFiniteLoss unless loss, a float, is a number; when: at this step, or at or before it."""
        if not np.isfinite(loss):
            raise NonFiniteLoss(
                f"the loss is {loss} {when} step {self.state.global_step}. Nothing is saved of it; earlier "
                "checkpoints are kept.\nWith the same parameters it would come again. Lower learning_rate or clip in "
                f"the model's parameter file, and begin this model anew: rm -r '{self.args.output_dir}'"
            )

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        with packing.packed_attention(model):
            loss = self.step_loss(model, inputs)
        if not loss.is_cuda and not torch.isfinite(loss):  # to look at a GPU's would make the host wait: see `log`
            self.finite(loss.item())
        return loss

    @functools.cached_property
    def step_loss(self):
        device = devices.current_device()
        if device.kind == "cpu":
            return packing.chunked_loss
        loss = functools.partial(packing.weighted_loss, bfloat16=device.bfloat16)
        if device.compiled and packing.supports_packing(self.model):
            return torch.compile(loss, dynamic=True)
        return loss

    def log(self, logs, *times):
        """Log the mean loss since the last look. Raises NonFiniteLoss when it is no number: before any saving."""
        if "loss" in logs:
            logs["loss"] = float(self.course.loss) / (self.state.global_step - self.course.last_look)
            self.course.loss, self.course.last_look = 0.0, self.state.global_step
            self.finite(logs["loss"], "at or before")
        super().log(logs, *times)

    def _look(self):
        scores = scoring.score(self.model, *self.eval_dataset)
        return {"eval_infill_loss": infill_loss(scores), "eval_perplexity": perplexity(scores)}

    def evaluate(self, *_, **__):
        metrics = distributed.broadcast_from_rank0(self._look)
        if self.state.global_step:  # a checkpoint is made of these weights next
            self.finite(metrics["eval_infill_loss"])
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def infill_loss(scores):
    """Mean -ln p of answer tokens and their end tokens: what early stopping watches."""
    return float(scores["nll_full"].sum() / (scores["n_tokens"] + scores["n_end"]).sum())


def perplexity(scores):
    return float(np.exp(scores["nll_text"].sum() / scores["n_tokens"].sum()))
