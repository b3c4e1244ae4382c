"""What is told while a model trains: one progress line, progress.json, and TensorBoard where it was asked for."""

import importlib.util
import os
import sys
import time

from tqdm import tqdm
from transformers import TrainerCallback

from lib.experiment.files import write_json
from lib.training import distributed
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
