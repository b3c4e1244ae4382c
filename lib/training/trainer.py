"""Hugging Face's Trainer with ILM's loss. It halves batches when memory runs out, and stops at NaN or on a signal.

This module and `callbacks` override and use only what transformers documents as public.
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

STOP_SIGNALS = [signal.SIGUSR1, signal.SIGTERM]  # clusters send them before a time limit and at a preemption


class TrainingState:
    """The state of a training that the Trainer does not save. It is an object of its own, so that callbacks need not
    refer to the Trainer.

    micro_batches: into how many batches a step is divided; doubled when memory runs out. started: when training would
    have started without interruptions (seconds of time.perf_counter). loss_sum: sum of the losses of all steps after
    step last_evaluation, which the Trainer forgets at an interruption. signalled: has this process received a stop
    signal? should_stop: had any process received one when the step was done? validation_scores: of the last evaluation,
    as `scoring.score` returns them.
    """

    def __init__(self):
        self.micro_batches = 1
        self.started = time.perf_counter()
        self.loss_sum = 0.0
        self.last_evaluation = 0
        self.signalled = False
        self.should_stop = False
        self.validation_scores = None

    def metadata(self):
        """What a checkpoint records of this state: a dict."""
        return {
            "seconds": time.perf_counter() - self.started,
            "loss_sum": float(self.loss_sum),
            "last_evaluation": self.last_evaluation,
            "micro_batches": self.micro_batches,
        }

    def restore(self, metadata):
        """Resume from the metadata of a checkpoint. micro_batches starts at 1 again."""
        self.started -= metadata["seconds"]
        self.loss_sum = metadata["loss_sum"]
        self.last_evaluation = metadata["last_evaluation"]

    @contextlib.contextmanager
    def stopping_on_signals(self):
        """In this context, one of STOP_SIGNALS lets training finish its step, save, and raise TrainingInterrupted. For
        the main thread only."""

        def handle(*_):
            self.signalled = True

        previous = {number: signal.signal(number, handle) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


class ILMTrainer(Trainer):
    """A Trainer whose step is an item of `Steps` and whose evaluation is the infill loss on frozen validation masks."""

    def __init__(self, **arguments):
        self.training_state = TrainingState()
        super().__init__(**arguments)

    def _load_from_checkpoint(self, folder, model=None):
        """The Trainer's method would only warn about weights that have other names on disk, and skip them."""
        loading.load_weights(model or self.model, Path(folder) / "model.safetensors")

    def training_step(self, model, inputs, num_items_in_batch=None):
        state = self.training_state
        loss = self._accumulate_step(model, inputs, num_items_in_batch)
        loss, state.should_stop = distributed.all_reduce_step(model, loss, state.signalled)
        state.loss_sum += loss
        return loss

    def _accumulate_step(self, model, inputs, num_items_in_batch):
        """Loss and gradients of this process's examples of a step, in as many micro-batches as memory requires."""
        while True:
            n = self.training_state.micro_batches
            try:
                if n == 1:
                    return self._forward_backward(model, inputs, num_items_in_batch)
                batches = map(packing.to_tensors, self.train_dataset.micro_batches(self.state.global_step, n))
                return sum(self._forward_backward(model, batch, num_items_in_batch) for batch in batches)
            except torch.OutOfMemoryError as error:
                self._halve_batches(model, error)

    def _forward_backward(self, *arguments):
        """Loss and gradients of a micro-batch. Loss weights are those of the step, so micro-batches add up."""
        injected = fault_injection.point("step")
        if injected == "oom":
            raise torch.OutOfMemoryError("injected")
        if injected == "nan":
            self.check_finite(float("nan"))
        return super().training_step(*arguments)

    def _halve_batches(self, model, error):
        """Discard the gradients of this step and halve its batches; raises OutOfMemory at one example a batch."""
        model.zero_grad()
        if self.training_state.micro_batches >= self.train_dataset.settings.examples_per_step:
            raise OutOfMemory(
                f"Memory is insufficient at step {self.state.global_step} even with one example at a time. The last "
                "checkpoint is kept. Free memory or use a larger device, then run the same command again."
            ) from error
        self.training_state.micro_batches *= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def check_finite(self, loss, when="at"):
        """Raise NonFiniteLoss if loss, a float, is NaN or infinite. when: "at" this step, or "at or before" it."""
        if not np.isfinite(loss):
            raise NonFiniteLoss(
                f"the loss is {loss} {when} step {self.state.global_step}. Nothing is saved of this step; earlier "
                "checkpoints are kept.\nThe same parameters would lead to it again. Lower learning_rate or "
                "max_grad_norm in the model's parameter file, and train this model again: "
                f"rm -r '{self.args.output_dir}'"
            )

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        with packing.packed_attention(model):
            loss = self.step_loss(model, inputs)
        if not loss.is_cuda and not torch.isfinite(loss):  # on a GPU, reading it would block the host: see `log`
            self.check_finite(loss.item())
        return loss

    @functools.cached_property
    def step_loss(self):
        device = devices.training_device(self.train_dataset.settings.precision)
        if device.kind == "cpu":
            return functools.partial(packing.chunked_loss, bfloat16=device.bfloat16)
        loss = functools.partial(packing.weighted_loss, bfloat16=device.bfloat16)
        if device.compiled and packing.supports_packing(self.model):
            return torch.compile(loss, dynamic=True)
        return loss

    def log(self, logs, *times):
        """Log the mean loss since the last evaluation. Raises NonFiniteLoss before anything is saved."""
        state = self.training_state
        if "loss" in logs:
            logs["loss"] = float(state.loss_sum) / (self.state.global_step - state.last_evaluation)
            state.loss_sum = 0.0
            state.last_evaluation = self.state.global_step
            self.check_finite(logs["loss"], "at or before")
        super().log(logs, *times)

    def evaluate(self, *_, **__):
        metrics = distributed.broadcast_from_rank0(self._validation_metrics)
        if self.state.global_step:  # a checkpoint of these weights follows
            self.check_finite(metrics["eval_infill_loss"])
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        if self.state.global_step == 0:  # what is no better than the start is no progress
            self.state.best_metric = metrics["eval_infill_loss"]
        return metrics

    def _validation_metrics(self):
        scores = scoring.score(self.model, *self.eval_dataset)
        self.training_state.validation_scores = scores
        return {"eval_infill_loss": infill_loss(scores), "eval_perplexity": perplexity(scores)}


def infill_loss(scores):
    """Mean -ln p of answer tokens and their end tokens, which early stopping watches. scores: of `scoring.score`."""
    return float(scores["nll_full"].sum() / (scores["n_tokens"] + scores["n_end"]).sum())


def perplexity(scores):
    """e to the mean -ln p of answer tokens. scores: of `scoring.score`."""
    return float(np.exp(scores["nll_text"].sum() / scores["n_tokens"].sum()))
