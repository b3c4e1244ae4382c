"""The curve of a training while it goes on, from what it writes to the disk: in its own notebook, or in any other.

In a second notebook: `from lib import live; live.follow(Experiment("study"), "a1", seeds=[0, 1])`.
"""

import contextlib
import threading
import time

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from lib.experiment.files import read_csv, read_json
from lib.figures import result_figures
from lib.figures.tables import attended
from lib.training import checkpoints

EVERY = 3  # seconds between two looks at the disk


def so_far(run, model, seed):
    """What is known of a training: (curve, said, ended).

    curve: examples and valid_perplexity, a row a look, maybe none; said: how far it is; ended: is the model finished?
    """
    done, folder = run.model(model, seed) / "train.json", run.folder / f"checkpoints/{model}/seed{seed}"
    log, began = _log(folder), folder / checkpoints.MADE_FROM
    if done.exists() and not (began.exists() and began.stat().st_mtime > done.stat().st_mtime):
        return read_csv(done.with_name("curve.csv")), f"{model}, seed {seed}: ended", True
    size = read_json(began)["examples_per_step"] if log else 0
    looks = [entry for entry in log if "eval_perplexity" in entry]
    rows = [{"examples": look["step"] * size, "valid_perplexity": look["eval_perplexity"]} for look in looks]
    curve = pd.DataFrame(rows, columns=["examples", "valid_perplexity"]).astype({"valid_perplexity": float})
    return curve, _said(folder, model, seed), False


def _log(folder):
    """The log of the newest checkpoint whose account can be read: one may be being written, or removed, just now."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=checkpoints.step, reverse=True):
        with contextlib.suppress(OSError, ValueError):
            return checkpoints.state(checkpoint)["log_history"]
    return []


def _said(folder, model, seed):
    try:
        told = read_json(folder / "progress.json")
    except (OSError, ValueError):
        return f"{model}, seed {seed}: nothing yet"
    left = f"about {told['seconds_left'] / 60:,.1f} minutes left"
    return f"{model}, seed {seed}: step {told['step']:,} of {told['of']:,}, {left}"


def follow(run, model, seeds):
    """Redraw the curves of a model's seeds until all have ended.

    Where nobody sits before the notebook, a plain line at each new look instead. Interrupt the kernel to stop looking;
    the training does not notice.
    """
    with contextlib.suppress(KeyboardInterrupt):
        _look(run, model, seeds, _place(model) if attended() else None)


@contextlib.contextmanager
def watching(run, model, seeds):
    """`follow` beside the training that the block does; nothing where nobody watches."""
    if not attended() or not seeds:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_look, args=(run, model, seeds, _place(model), stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _place(model):
    """Where in the notebook the curve is to be redrawn."""
    return display({"text/plain": f"{model}: nothing yet"}, raw=True, display_id=True)


def _look(run, model, seeds, handle, stop=None):
    """Tell what is new, every few seconds: until all seeds have ended or, where there is a stop, until it is set."""
    seen = None
    while True:
        known = {seed: so_far(run, model, seed) for seed in seeds}
        news = [len(curve) for curve, _, _ in known.values()], [said for _, said, _ in known.values() if handle]
        if news != seen:
            _tell(handle, model, known)
        seen = news
        if stop.wait(EVERY) if stop else all(ended for _, _, ended in known.values()):
            break
        if not stop:
            time.sleep(EVERY)
    if stop:
        _tell(handle, model, {seed: so_far(run, model, seed) for seed in seeds})


def _tell(handle, model, known):
    curves = pd.concat([curve.assign(model=model, seed=seed) for seed, (curve, _, _) in known.items()])
    said = "; ".join(said for _, said, _ in known.values())
    if handle is None:
        last = curves.groupby("seed")["valid_perplexity"].last().round(2).to_dict()
        print(f"{said}; valid perplexity by seed: {last}", flush=True)
    elif curves.empty:
        handle.update({"text/plain": said}, raw=True)
    else:
        figure = result_figures.learning_curves(curves, said).figure
        handle.update(figure)
        plt.close(figure)
