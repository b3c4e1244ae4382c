"""Claims about the figures: what they show, how they mark what is missing, and that they are the same bytes twice."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from lib import design
from lib.design import LEVELS
from lib.figures import corpus_figures, result_figures, style

NUMBERS = ["gain_pct", "gain_lo", "gain_hi"]
TITLE = "The general model is within 10 % of the best specialist at A1, and at the other levels too few wrote " * 2


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def contrasts(levels=LEVELS, **columns):
    """Rows of contrasts.csv: gains 20, 15, 10, 5, 0 %, 4 points either way."""
    gain = 20 - 5.0 * np.array([LEVELS.index(level) for level in levels])
    own = [level.lower() for level in levels]
    table = {"level": levels, "a": "general", "b": own, "gain_pct": gain, "gain_lo": gain - 4, "gain_hi": gain + 4}
    return pd.DataFrame(table | {"reason": ""} | columns)


def ppl(models=tuple(design.KIND), tests=(*LEVELS, "all_levels")):
    """Rows of ppl_matrix.csv: perplexity 10.0, 11.0 .. along the rows and the columns; "word" rows must not matter."""
    cells = [
        (m, t, k, 10 + i + j)
        for i, m in enumerate(models)
        for j, t in enumerate(tests)
        for k in ["training_mix", "word"]
    ]
    table = pd.DataFrame(cells, columns=["model", "test", "mask_type", "ppl"])
    return table.assign(ppl_lo=table.ppl * 0.9, ppl_hi=table.ppl * 1.1).assign(
        ppl=table.ppl.where(table.mask_type == "training_mix", 1)
    )


def curves():
    rows = [(m, s, 100 * n, 900 / (n + 1)) for m in design.KIND for s in (0, 1) for n in range(9 - 2 * s)]
    return pd.DataFrame(rows, columns=["model", "seed", "examples", "valid_perplexity"])


MDE = contrasts().drop(columns="reason").assign(n_learners=[900, 400, 200, 90, 30], mde_above_zero_pct=[1, 2, 5, 9, 30])
MDE["mde_above_margin_pct"] = MDE["mde_above_zero_pct"] + 10
HOURS = pd.DataFrame({"model": list(design.KIND), "hours": np.arange(1.0, 12)})
BY_L1 = pd.concat([contrasts(l1=l1) for l1 in ["Arabic", "Turkish"]], ignore_index=True)
COUNTS = pd.DataFrame(
    [(level, part, 10) for level in LEVELS for part in ["train", "valid", "test"]],
    columns=["level", "split", "n_texts"],
)
L1_SHARES = pd.DataFrame({"A1": [60.0, 40.0], "B1": [20.0, 80.0]}, index=["Arabic", "a long name of a first language"])
WORDS = pd.DataFrame({"level": LEVELS * 20, "n_words": np.arange(100)})
EXPECTED = {"document": 0.01, "paragraph": 0.02, "sentence": 0.1, "ngram": 0.43, "word": 0.44}
SHARES = pd.DataFrame({"span_type": list(EXPECTED), "share": list(EXPECTED.values())})

FIGURES = {
    "matrix": (ppl(), lambda table: result_figures.perplexity_heatmap(table, TITLE)),
    "gains": (contrasts(), lambda table: result_figures.gains(table, TITLE)),
    "general_vs_best": (contrasts(), lambda table: result_figures.general_vs_best(table, TITLE)),
    "transfer_slopes": (ppl(), lambda table: result_figures.transfer_slopes(table, TITLE)),
    "cost_gain": (contrasts(), lambda table: result_figures.cost_gain(HOURS, table, TITLE)),
    "learning_curves": (curves(), lambda table: result_figures.learning_curves(table, TITLE)),
    "forest": (BY_L1, lambda table: result_figures.forest(table, TITLE, "l1")),
    "sample_size": (MDE, lambda table: result_figures.sample_size(table, TITLE)),
    "corpus_bars": (COUNTS, lambda table: corpus_figures.corpus_bars(table, TITLE)),
    "lengths": (WORDS, lambda table: corpus_figures.text_lengths(table, TITLE)),
    "l1_shares": (L1_SHARES, lambda table: corpus_figures.l1_shares(table, TITLE)),
    "span_shares": (SHARES, lambda table: corpus_figures.span_shares(table, EXPECTED, TITLE)),
}


def words(drawn):
    return [text.get_text() for text in drawn.get_figure(root=True).findobj(Text) if text.get_text()]


def damaged(table):
    """The table without its first row, its last number unknown: a level or model missing, an answer missing."""
    table = table.iloc[1:].copy()
    numbers = [
        column for column in [*NUMBERS, "ppl", "ppl_lo", "n_texts", "share", "mde_above_zero_pct"] if column in table
    ]
    table[numbers] = table[numbers].astype(float)
    table.loc[table.index[-1], numbers] = np.nan
    return table


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_row_or_number_does_not_stop_a_figure(name):
    table, draw = FIGURES[name]
    draw(damaged(table)).get_figure(root=True).draw_without_rendering()
    draw(table.iloc[:1]).get_figure(root=True).draw_without_rendering()


@pytest.mark.filterwarnings("ignore")  # matplotlib and NumPy say that there is nothing to draw
def test_nothing_answered_draws_empty_axes():
    for table, draw in FIGURES.values():
        draw(table.iloc[:0]).get_figure(root=True).draw_without_rendering()


@pytest.mark.parametrize("name", FIGURES)
def test_long_titles_stay_on_the_page_and_labels_apart(name):
    table, draw = FIGURES[name]
    figure = draw(table).get_figure(root=True)
    figure.draw_without_rendering()
    title = figure._suptitle
    assert title.get_text().split() == TITLE.split()
    assert title.get_ha() == "left"
    assert title.get_window_extent().x1 <= figure.bbox.x1
    for ax in figure.axes:
        upright = [label for label in ax.get_xticklabels() if label.get_text() and not label.get_rotation()]
        boxes = [label.get_window_extent() for label in upright]
        assert all(left.x1 <= right.x0 for left, right in zip(boxes, boxes[1:]))


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for folder in ["first", "second"]:
        style.save(result_figures.gains(contrasts(), TITLE), tmp_path / folder, "gains", contrasts())
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["gains.csv", "gains.pdf", "gains.png", "gains.svg"]
    assert all((tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes() for name in files)


def test_missing_level_is_written_as_na():
    labels = [label.get_text() for label in result_figures.gains(contrasts(LEVELS[:4]), TITLE).get_xticklabels()]
    assert labels[-2:] == ["B2\n+5.0 %", "C1\nn/a"]


def test_level_without_an_answer_says_why():
    few = contrasts()
    few.loc[4, [*NUMBERS, "reason"]] = [np.nan, np.nan, np.nan, "3 learners, below 5"]
    assert result_figures.gains(few, TITLE).get_xticklabels()[4].get_text() == "C1\nn/a\n3 learners,\nbelow 5"


def test_a_level_with_two_rows_is_refused():
    with pytest.raises(ValueError, match="duplicate"):
        result_figures.gains(pd.concat([contrasts(), contrasts()]), TITLE)


def test_matrix_numbers_are_perplexities_of_the_mix_or_na():
    ax = result_figures.perplexity_heatmap(ppl(["a1", "general", "a1_more"], ["A1", "A2"]), TITLE)
    assert [label.get_text() for label in ax.get_yticklabels()] == [*map(design.display_name, design.KIND), "a1_more"]
    found = [text.get_text() for text in ax.texts]
    assert sorted(word for word in found if word != "n/a") == ["10.0", "11.0", "11.0", "12.0", "12.0", "13.0"]
    assert found.count("n/a") == 12 * 6 - 6


def test_matrix_colour_is_the_ratio_to_the_columns_lowest():
    colours = result_figures.perplexity_heatmap(ppl(), TITLE).collections[0].get_array().reshape(11, 6)
    assert np.allclose(colours[:, 0], np.log((10 + np.arange(11)) / 10))


def test_cells_of_a_models_own_level_are_framed():
    ax = result_figures.perplexity_heatmap(ppl(), TITLE)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    framed = {(rows[int(patch.get_y())], [*LEVELS, "all_levels"][int(patch.get_x())]) for patch in ax.patches}
    assert framed == {(f"{level} {kind}", level) for level in LEVELS for kind in ["specialist", "transfer"]}
    assert all(to_rgb(patch.get_edgecolor()) == (0, 0, 0) for patch in ax.patches)


def test_band_of_the_margin_is_as_wide_up_as_down_in_logarithms():
    band = result_figures.general_vs_best(contrasts(), TITLE, margin=0.10).patches[0]
    low, high = band.get_y(), band.get_y() + band.get_height()
    assert high == pytest.approx(10)
    assert np.log1p(high / 100) == pytest.approx(-np.log1p(low / 100))


def test_mean_over_seeds_stops_where_a_seed_stops():
    lines = result_figures.learning_curves(curves().query("model == 'a1'"), TITLE).lines
    mean = lines[-1]
    assert mean.get_label() == "A1 specialist"
    assert np.isfinite(mean.get_ydata()).sum() == 7
    assert mean.get_linewidth() > 2 * lines[0].get_linewidth()


def test_controls_come_last_in_the_same_order_in_every_process():
    names = ["zero", "one", "two", "three", "four", "five", "b1", "general"]
    table = pd.concat([curves().query("model == 'a1'").assign(model=name) for name in names])
    labels = [line.get_label() for line in result_figures.learning_curves(table, TITLE).lines]
    drawn = [label for label in labels if not label.startswith("_")]
    assert drawn == ["B1 specialist", "general", "five", "four", "one", "three", "two", "zero"]


def test_dollar_signs_in_labels_stay_searchable_letters(tmp_path):
    figure = result_figures.forest(contrasts(l1="$x_1$ and $y$"), "It costs $5 or $6", "l1")
    assert not any(text.get_parse_math() for text in figure.findobj(Text))
    style.save(figure, tmp_path, "forest", BY_L1)
    drawn = (tmp_path / "forest.svg").read_text()
    assert "$x_1$ and $y$" in drawn
    assert "It costs $5 or $6" in drawn


@pytest.mark.parametrize(("hours", "unit"), [(0.5, "minutes"), (5, "hours")])
def test_cost_is_in_a_readable_unit(hours, unit):
    assert unit in result_figures.cost_gain(HOURS.assign(hours=hours), contrasts(), TITLE).get_xlabel()


def test_legends_and_axes_use_the_terms_of_the_field():
    ax = result_figures.sample_size(MDE, TITLE)
    legend = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert "minimum detectable gain above the margin" in legend
    assert (
        result_figures.gains(contrasts(), TITLE).get_ylabel() == "Perplexity increase of general\nover specialist (%)"
    )


def test_legends_spell_out_the_names_of_models():
    table = pd.concat([curves().query("model == 'a1'").assign(model=name) for name in ["a1_transfer", "initial"]])
    ax = result_figures.learning_curves(table, TITLE)
    assert {"A1 transfer", "initial weights"} <= {line.get_label() for line in ax.lines}
    table = pd.concat([table, table[table["model"] == "initial"].assign(model="level_prompted")])
    styles = [line.get_linestyle() for line in result_figures.learning_curves(table, TITLE).lines]
    assert {"--", "-.", ":"} == set(styles)
    labels = result_figures.general_vs_best(contrasts(), TITLE).get_xticklabels()
    assert labels[0].get_text().split("\n", 2)[2].replace("\n", " ") == "best: A1 specialist"


def test_the_gain_curve_has_a_panel_a_level_with_its_interval():
    rows = pd.concat([contrasts(examples=n) for n in (16, 32)], ignore_index=True)
    rows.loc[rows.level == "C1", NUMBERS] = np.nan
    axes = result_figures.gain_curves(rows, TITLE).axes
    assert [ax.get_title() for ax in axes] == LEVELS
    for ax, gain in zip(axes[:4], [20, 15, 10, 5]):
        assert ax.lines[-1].get_xdata().tolist() == [16, 32] and ax.lines[-1].get_ydata().tolist() == [gain] * 2
        assert len(ax.collections) == 1, "the interval is drawn"
    assert [text.get_text() for text in axes[4].texts] == ["n/a"]
    assert len(result_figures.gain_curves(rows[:0], TITLE).axes) == 5
