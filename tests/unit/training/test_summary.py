"""Claims about the sentences on a training: each outcome has its own."""

import pandas as pd
import pytest

from lib.experiment import parameters
from lib.training import summary

SETTINGS = parameters.load_file("params/demo/a1.yaml").model_copy(update={"max_examples": 80})
REPORTS = pd.DataFrame(
    {
        "start_perplexity": [1000.0, 1000.0],
        "valid_perplexity": [20.0, 25.0],
        "best_at": [80, 80],
        "stopped_at": [80, 80],
    }
)


def lines(losses=(7.0, 4.0, 3.0), reports=REPORTS, **changed):
    """{bold word of a line: the line} for validation losses at 0, 20 and 80 examples."""
    curves = pd.DataFrame({"examples": [0, 20, 80], "valid_loss": losses})
    text = summary.comparison(curves, reports, SETTINGS.model_copy(update=changed), 1024)
    return {line.split("**")[1].strip("."): line for line in text.splitlines()}


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ((7.0, 4.0, 3.0), "brought 75% of the decrease. That is most of it, as expected."),
        ((7.0, 6.0, 3.0), "brought 25% of the decrease. That is less than expected."),
        ((7.0, 8.0, 9.0), "The validation loss did not decrease below that of step 0."),
    ],
)
def test_the_first_quarter_is_compared_with_the_whole_decrease(losses, sentence):
    assert lines(losses)["Learning curve"].endswith(sentence)


def test_more_examples_help_only_if_all_seeds_still_improve():
    assert lines()["End"].endswith("for 2 of 2 seeds: more examples would still have helped.")
    stopped = lines(reports=REPORTS.assign(best_at=[80, 40], stopped_at=[80, 60]))["End"]
    assert "1 of 2 seeds stopped before" in stopped and stopped.endswith(
        "for 1 of 2 seeds: more examples would hardly help."
    )


def test_the_start_and_the_seeds_are_stated():
    assert lines()["Step 0"].endswith("is 1,000; the vocabulary has 1,024 tokens.")
    assert lines(init_from="general")["Step 0"].endswith("; training starts from general.")
    assert lines()["Seeds"].endswith("differ by up to 25.0%.")
    assert lines(reports=REPORTS.iloc[:1])["Seeds"].endswith("There is only one.")


def test_the_answer_tells_trained_untrained_and_missing_apart():
    answers = [
        summary.answer(REPORTS, 0.5),
        summary.answer(REPORTS.assign(stopped_at=0), 0.0),
        summary.not_trained("c1", "there is no training text of C1"),
        summary.answer(REPORTS.assign(best_at=0), 0.5),
    ]
    assert "from 1,000 to 22.4 within 80 examples" in answers[0] and "0.5 minutes" in answers[0]
    assert "before any training is 1,000" in answers[1]
    assert answers[2] == "Nothing: c1 is n/a, because there is no training text of C1."
    assert "no evaluation was better than the start" in answers[3] and "after 80 examples" in answers[3]
