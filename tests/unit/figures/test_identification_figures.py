"""Claims about confusion matrices: shares of a level's texts, n/a where there are none, and a title in words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.figures import identification_figures
from lib.identification import systems


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def confusion(**columns):
    rows = [("TF-IDF", "A1", "A1", 30), ("TF-IDF", "A1", "B1", 10), ("TF-IDF", "C1", "C1", 5)]
    return pd.DataFrame(rows, columns=["system", "level", "identified", "n_texts"]).assign(**columns)


def test_shares_are_of_a_levels_texts():
    cells = identification_figures.shares(confusion())
    assert cells.loc["A1", "A1"] == 75 and cells.loc["A1", "B1"] == 25 and cells.loc["C1", "C1"] == 100
    assert cells.loc["A2"].isna().all() and list(cells) == LEVELS


def test_given_shares_are_drawn_as_they_are():
    cells = identification_figures.shares(confusion(share=[0.75, np.nan, 1]))
    assert cells.loc["A1", "A1"] == 75 and np.isnan(cells.loc["A1", "B1"])


def test_each_system_but_the_majority_has_a_panel():
    both = pd.concat([confusion(), confusion(system="majority"), confusion(system="length")])
    figure = identification_figures.confusions(both, "Title")
    panels = {ax.get_title(): [text.get_text() for text in ax.texts] for ax in figure.axes}
    assert set(panels) == {"TF-IDF", "length"}
    assert panels["TF-IDF"].count("n/a") == 22 and {"75", "25", "100"} <= set(panels["TF-IDF"])


def test_the_title_states_the_accuracies():
    measured = pd.DataFrame({"system": systems.SYSTEMS, "accuracy": [0.9, 0.894, 0.8, 0.7, 0.997, 0.6, np.nan]})
    title = identification_figures.title(measured)
    models, baselines = "89.4 % by specialists (calibrated)", "99.7 % by TF-IDF, 60.0 % by length alone"
    assert title == f"Levels identified rightly: {models}, {baselines}"
    assert identification_figures.title(measured.assign(accuracy=np.nan)) == "No level could be identified"
    assert set(identification_figures.TITLE_SYSTEMS) <= set(systems.SYSTEMS)
