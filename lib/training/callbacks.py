"""What happens beside the steps of a training: progress is told, the curve drawn, each checkpoint sealed."""

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
from lib.experiment.files import write_json
from lib.figures import result_figures
from lib.figures.tables import is_interactive
from lib.training import checkpoints, distributed
from lib.training.dataset import last_step

TENSORBOARD = "ILM_CEFR_TENSORBOARD"  # environment variable: the folder for its logs, where they are wanted


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


class Progress(TrainerCallback):
    """One plain progress line, examples seen and the last valid perplexity; and an evaluation at the very end.

    Every few seconds, progress.json in `folder` says the same to those who look from outside.
    """

    def __init__(self, settings, label, folder):
        self.size, self.file, self.told = settings.examples_per_step, folder / "progress.json", 0.0
        self.ends = {last_step(settings, n) for n in [settings.max_examples, *settings.snapshot_at.values()]}
        how = {"mininterval": 5, "ncols": 100, "leave": False, "disable": distributed.rank() > 0, "file": sys.stdout}
        self.bar = tqdm(total=settings.max_examples, desc=label, unit=" examples", **how)

    def on_train_begin(self, args, state, control, **_):
        self.first, self.since = state.global_step, time.time()
        self.bar.update(self.first * self.size)

    def on_step_end(self, args, state, control, **_):
        self.bar.update(self.size)
        if time.time() > self.told + 5 and not distributed.rank():
            self.told = time.time()
            left = (self.told - self.since) / (state.global_step - self.first) * (state.max_steps - state.global_step)
            write_json({"step": state.global_step, "of": state.max_steps, "seconds_left": round(left)}, self.file)
        if state.global_step in self.ends:  # an end is looked at, wherever it falls
            control.should_evaluate = control.should_save = control.should_log = True

    def on_evaluate(self, args, state, control, metrics, **_):
        self.bar.set_postfix_str(f"valid perplexity {metrics['eval_perplexity']:.2f}", refresh=False)

    def on_train_end(self, *_, **__):
        self.bar.close()


class Curve(TrainerCallback):
    """Draws the curve so far in the notebook at each evaluation; nothing where nobody sits before it.

    That is also so in processes that `launch` starts: they have no notebook.
    """

    def __init__(self, settings, seed, label):
        self.settings, self.seed, self.label, self.place = settings, seed, label, None

    def on_evaluate(self, args, state, control, **_):
        if not is_interactive():
            return
        size = self.settings.examples_per_step
        looks = [entry for entry in state.log_history if "eval_perplexity" in entry]
        curve = pd.DataFrame({
            "model": self.settings.model,
            "seed": self.seed,
            "examples": [min(look["step"] * size, self.settings.max_examples) for look in looks],
            "valid_perplexity": [look["eval_perplexity"] for look in looks],
        })  # fmt: skip
        title = f"{self.label}: step {state.global_step:,} of {state.max_steps:,}"
        figure = result_figures.learning_curves(curve, title).figure
        if self.place is None:
            self.place = display(figure, display_id=True)
        else:
            self.place.update(figure)
        plt.close(figure)


class Checkpoints(TrainerCallback):
    """Seals what the Trainer saved, keeps apart what snapshot_at asks for, and removes what is no longer needed.

    When training has been told to end, it saves after the step and raises TrainingInterrupted. Of several processes the
    first one saves; the others end.
    """

    def __init__(self, course, settings):
        self.course = course
        self.kept_at = {last_step(settings, n) for n in settings.snapshot_at.values()}

    def on_step_end(self, args, state, control, **_):
        ending = self.course.told_to_end
        if distributed.rank():
            control.should_save = False
            control.should_training_stop |= ending
        else:
            control.should_save |= ending

    def on_save(self, args, state, control, **_):
        here = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.global_step in self.kept_at:
            checkpoints.keep(here)
        checkpoints.finalize(here, self.course.facts())
        checkpoints.prune(here)
        if self.course.told_to_end:
            raise TrainingInterrupted(
                f"The time is up. Saved at step {state.global_step}: the same command goes on from there."
            )


class OtherNoise(TrainerCallback):
    """Where a training goes on: random numbers of another process than the first, for other examples, are others."""

    def __init__(self, resumed_at):
        self.resumed_at = resumed_at

    def on_step_begin(self, args, state, control, **_):
        if state.global_step == self.resumed_at and distributed.rank():
            torch.manual_seed(torch.initial_seed() + 1000 * state.global_step + distributed.rank())
