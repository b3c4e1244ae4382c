"""Which models were still improving when their budget ended: verdicts about them are limited by the budget."""

from lib.formatting import Sentences

SAY = Sentences(__file__)


def still_improving(runs):
    """By model, the share of its seeds whose best evaluation was their last: a Series; untrained models are left out.

    Such a training was not ended by `patience`. runs: a row a training, with the entries of train.json.
    """
    trained = runs[(runs["status"] == "trained") & (runs["examples_seen"] > 0)]
    improving = trained["best_at"] == trained["stopped_at"]
    return improving.groupby(trained["model"]).mean()


def stamp(cost):
    """The sentence that marks verdicts as limited by budgets; "" where every training had ended by itself.

    cost: cost.csv, with the column still_improving.
    """
    trained = cost.dropna(subset="still_improving")
    n_limited = int((trained["still_improving"] > 0).sum())
    if n_limited == 0:
        return ""
    return SAY("stamp", n=n_limited, n_trained=len(trained))
