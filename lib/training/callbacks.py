"""Callbacks between the steps of a training: progress, the learning curve, checkpoints, random numbers."""

import importlib.util
import os
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import display
from tqdm import tqdm
from transformers import TrainerCallback

from lib.errors import TrainingInterrupted
from lib.evaluation import scoring
from lib.experiment.files import write_json
from lib.figures import result_figures
from lib.figures.tables import is_interactive
from lib.training import checkpoints, distributed
from lib.training.dataset import last_step

WRITTEN_SECONDS = 1  # between two writings of progress.json
TENSORBOARD = "ILM_CEFR_TENSORBOARD"  # environment variable: the folder for TensorBoard's logs, if they are wanted


def report_to(model, seed):
    """The Trainer's `report_to`: TensorBoard if the environment variable is set, else nothing.

    Raises ModuleNotFoundError, with instructions, if TensorBoard is requested and not installed.
    """
    folder = os.environ.get(TENSORBOARD)
    if not folder:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ModuleNotFoundError(
            f"TensorBoard is requested ({TENSORBOARD}={folder}) and not installed. Install it with "
            "`python -m pip install -e '.[tensorboard]'`, or do without: each model also has a curve.csv."
        )
    os.environ["TENSORBOARD_LOGGING_DIR"] = os.path.join(folder, model, f"seed{seed}")  # the Trainer reads this
    return ["tensorboard"]


class Progress(TrainerCallback):
    """A progress bar with examples seen and the last validation perplexity, and an evaluation at the very end.

    Every second, the progress is also written to progress.json in `folder`, for `make status` and the panel of a run.
    """

    def __init__(self, settings, label, folder):
        self.size = settings.examples_per_step
        self.file = folder / "progress.json"
        self.written_at = 0.0  # seconds since the epoch
        self.evaluated = {}  # the last validation perplexity, once there is one
        self.ends = {last_step(settings, n) for n in [settings.max_examples, *settings.snapshot_at.values()]}
        self.bar = tqdm(
            total=settings.max_examples,
            desc=label,
            unit=" examples",
            mininterval=5,
            ncols=100,
            leave=False,
            disable=distributed.rank() > 0,
            file=sys.stdout,
        )

    def on_train_begin(self, args, state, control, **_):
        self.first_step = state.global_step
        self.began_at = time.time()
        self.bar.update(self.first_step * self.size)

    def on_step_end(self, args, state, control, **_):
        self.bar.update(self.size)
        now = time.time()
        if now > self.written_at + WRITTEN_SECONDS and not distributed.rank():
            self.written_at = now
            seconds_per_step = (now - self.began_at) / (state.global_step - self.first_step)
            seconds_left = round(seconds_per_step * (state.max_steps - state.global_step))
            facts = {"step": state.global_step, "of": state.max_steps, "seconds_left": seconds_left}
            write_json(facts | self.evaluated, self.file)
        if state.global_step in self.ends:  # the end of a budget is evaluated, also between two regular evaluations
            control.should_evaluate = True
            control.should_save = True
            control.should_log = True

    def on_evaluate(self, args, state, control, metrics, **_):
        self.evaluated = {"perplexity": metrics["eval_perplexity"]}
        self.bar.set_postfix_str(f"validation perplexity {metrics['eval_perplexity']:.2f}", refresh=False)

    def on_train_end(self, *_, **__):
        self.bar.close()


class LearningCurve(TrainerCallback):
    """Draws the learning curve in the notebook at each evaluation, if the notebook is used interactively.

    Processes that `launch` starts have no notebook and draw nothing.
    """

    def __init__(self, settings, seed, label):
        self.settings = settings
        self.seed = seed
        self.label = label
        self.display_handle = None

    def on_evaluate(self, args, state, control, **_):
        if not is_interactive():
            return
        size = self.settings.examples_per_step
        evaluations = [entry for entry in state.log_history if "eval_perplexity" in entry]
        curve = pd.DataFrame(
            {
                "model": self.settings.model,
                "seed": self.seed,
                "examples": [min(entry["step"] * size, self.settings.max_examples) for entry in evaluations],
                "valid_perplexity": [entry["eval_perplexity"] for entry in evaluations],
            }
        )
        title = f"{self.label}: step {state.global_step:,} of {state.max_steps:,}"
        figure = result_figures.learning_curves(curve, title).figure
        if self.display_handle is None:
            self.display_handle = display(figure, display_id=True)
        else:
            self.display_handle.update(figure)
        plt.close(figure)


class Checkpoints(TrainerCallback):
    """Certifies what the Trainer saved, copies the weights that snapshot_at requests, and deletes old checkpoints.

    After a stop signal, training saves at the end of the step and raises TrainingInterrupted. Of several processes,
    only process 0 saves; the others end.
    """

    def __init__(self, training_state, settings):
        self.training_state = training_state
        self.snapshot_steps = {last_step(settings, n) for n in settings.snapshot_at.values()}

    def on_step_end(self, args, state, control, **_):
        if distributed.rank():
            control.should_save = False
            control.should_training_stop |= self.training_state.should_stop
        else:
            control.should_save |= self.training_state.should_stop

    def on_save(self, args, state, control, **_):
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.global_step in self.snapshot_steps:
            checkpoints.save_snapshot(checkpoint)
        checkpoints.finalize(checkpoint, self.training_state.metadata())
        checkpoints.prune(checkpoint)
        if self.training_state.should_stop:
            raise TrainingInterrupted(
                f"A signal asked this training to stop. Saved at step {state.global_step}: the same command resumes it."
            )


class ValidationScores(TrainerCallback):
    """Scores the validation texts after each number of examples in score_at, also where no evaluation is due.

    These scores decide nothing: neither which weights are best nor when training stops. valid: (keys, tokens, roles).
    """

    def __init__(self, training_state, settings, valid):
        self.training_state = training_state
        self.valid = valid
        self.examples_at = {last_step(settings, n): n for n in settings.score_at}

    def on_step_end(self, args, state, control, model=None, **_):
        is_due = state.global_step in self.examples_at and not control.should_evaluate
        if is_due and not distributed.rank():
            self._save(args, state, scoring.score(model, *self.valid))

    def on_evaluate(self, args, state, control, **_):
        if state.global_step in self.examples_at and not distributed.rank():
            self._save(args, state, self.training_state.validation_scores)

    def _save(self, args, state, scores):
        n_examples = self.examples_at[state.global_step]
        checkpoints.save_scores(Path(args.output_dir), n_examples, scores)


class ReseedOnResume(TrainerCallback):
    """At a resumed step, gives each process but process 0 random numbers of its own, since its examples are others."""

    def __init__(self, resumed_at):
        self.resumed_at = resumed_at

    def on_step_begin(self, args, state, control, **_):
        if state.global_step == self.resumed_at and distributed.rank():
            torch.manual_seed(torch.initial_seed() + 1000 * state.global_step + distributed.rank())
