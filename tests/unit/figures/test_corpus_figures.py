"""Claims about the figures of the corpus."""

import matplotlib.pyplot as plt
import pandas as pd

from lib.figures import corpus_figures, result_figures


def test_figures_of_first_languages_show_what_a_file_says():
    names = ["L" * 3000, "\x0b$x^{"]
    shares = pd.DataFrame(50.0, names, ["A1", "B1"])
    gains = pd.DataFrame({"level": "A1", "l1": names, "gain_pct": 1.0, "gain_lo": 0.0, "gain_hi": 2.0})
    axes = [corpus_figures.l1_shares(shares, names[1]), result_figures.forest(gains, names[0], by="l1").axes[0]]
    for ax in axes:
        shown = [tick.get_text() for tick in ax.get_yticklabels()]
        assert shown == ["L" * 29 + "…", "\ufffd$x^{"]
        plt.close(ax.figure)
