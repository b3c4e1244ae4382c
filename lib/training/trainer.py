"""Hugging Face's Trainer with what a long training needs: sealed checkpoints, a stop at NaN, smaller batches, news."""

import contextlib
import functools
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer

from lib.errors import CutOff, NotFinite, OutOfMemory
from lib.evaluation import scoring
from lib.experiment import fault_injection
from lib.experiment.files import told
from lib.models import packing
from lib.training import checkpoints, distributed
from lib.training.dataset import last_step

WARNINGS = [signal.SIGUSR1, signal.SIGTERM]  # of the end: a cluster's before a time limit, and at a preemption


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
            raise OutOfMemory(
                f"Memory runs out at step {self.state.global_step} even with one example at a time. The last "
                "checkpoint is kept: free memory, or take a larger device, and give the same command again."
            ) from error
        self.micro_batches *= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def finite(self, loss, when="at"):
        """Raise NotFinite unless loss, a float, is a number; when: at this step, or at or before it."""
        if not np.isfinite(loss):
            raise NotFinite(
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


class ILMTrainer(CarefulTrainer):
    """Trainer whose step is one item of `Steps` and whose evaluation is the infill loss on frozen valid masks."""

    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        with packing.attention(model):
            loss = self.step_loss(model, inputs)
        if not loss.is_cuda and not torch.isfinite(loss):  # to look at a GPU's would make the host wait: see `log`
            self.finite(loss.item())
        return loss

    @functools.cached_property
    def step_loss(self):
        return torch.compile(packing.loss, dynamic=True) if torch.cuda.is_available() else packing.loss_by_rows

    def log(self, logs, *times):
        """Raises NotFinite when a loss since the last log was not finite: logging comes before saving."""
        self.finite(logs.get("loss", 0), "at or before")
        super().log(logs, *times)

    def _look(self):
        scores = scoring.score(self.model, *self.eval_dataset)
        return {"eval_infill_loss": infill_loss(scores), "eval_perplexity": perplexity(scores)}

    def evaluate(self, *_, **__):
        metrics = distributed.of_first(self._look)
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
