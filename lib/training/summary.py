"""The outcome of a training in sentences, for 03_train."""

import numpy as np

from lib.formatting import Sentences

SAY = Sentences(__file__)


def comparison(curves, reports, settings, vocabulary_size):
    """Markdown: the outcome compared with the expectations of 03_train.

    curves: `loop.train`'s curves of all seeds, concatenated; reports: a frame of train.json, one row a seed; settings:
    Train parameters.
    """
    loss = curves.groupby("examples")["valid_loss"].mean()  # over seeds
    decrease = loss.iloc[0] - loss.iloc[1:].min()
    at_a_quarter = np.interp(loss.index[-1] / 4, loss.index, loss)
    perplexity = reports["valid_perplexity"]
    return SAY(
        "comparison",
        start=geometric_mean(reports["start_perplexity"]),
        init_from=settings.init_from,
        vocabulary_size=vocabulary_size,
        decrease=decrease,
        early=(loss.iloc[0] - at_a_quarter) / decrease,
        n_stopped=int((reports["stopped_at"] < settings.max_examples).sum()),
        n_still_improving=int((reports["best_at"] == reports["stopped_at"]).sum()),
        n_seeds=len(reports),
        difference=perplexity.max() / perplexity.min() - 1,
    )


def not_trained(model, reason):
    """The answer for a model that is n/a."""
    return SAY("not_trained", model=model, reason=reason)


def answer(reports, minutes):
    """What the model has learned, and when it stopped. reports: as above; minutes: of training, mean of the seeds."""
    start = geometric_mean(reports["start_perplexity"])
    stopped_at = int(reports["stopped_at"].max())
    if stopped_at == 0:
        return SAY("untrained", start=start)
    end = geometric_mean(reports["valid_perplexity"])
    if reports["best_at"].max() == 0:
        return SAY("kept_start", start=start, stopped_at=stopped_at, minutes=minutes)
    return SAY(
        "trained", start=start, end=end, best_at=reports["best_at"].max(), stopped_at=stopped_at, minutes=minutes
    )


def geometric_mean(perplexities):
    return float(np.exp(np.log(perplexities.astype(float)).mean()))
