"""The figures of the corpus and its masks. Each takes a table and a title that states the result, and returns Axes."""

from lib.design import LEVELS
from lib.figures.style import KIND_COLOURS, LEGEND, LEVEL_COLOURS, REFERENCE, new_axes, seaborn, short_label
from lib.formatting import format_values

SPLITS = {"train": "#c3d7e8", "valid": "#6f9cc0", "test": "#1f4e79"}


def corpus_bars(counts, title):
    """Texts per level, stacked by split, with their sum on top. counts: level, split, n_texts."""
    table = counts.pivot(index="level", columns="split", values="n_texts").reindex(LEVELS, columns=[*SPLITS])
    ax = new_axes(title, 3.2, "CEFR level", "Texts")
    bars = {"color": SPLITS, "stacked": True, "width": 0.6, "rot": 0, "legend": False, "grid": False}
    table.fillna(0).rename_axis(None).plot.bar(ax=ax, **bars)
    ax.bar_label(ax.containers[-1], format_values(table.sum(axis=1, min_count=1), "{:,.0f}"), padding=2)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.figure.legend(**LEGEND)
    return ax


def text_lengths(texts, title):
    """Words per text by level: density, quartiles, and the median as a number. texts: level, n_words."""
    ax = new_axes(title, 3.2, "CEFR level", "Words per text")
    style = {"order": LEVELS, "hue": "level", "palette": LEVEL_COLOURS, "inner": "quart", "fill": False}
    seaborn().violinplot(texts, x="level", y="n_words", cut=0, density_norm="width", legend=False, ax=ax, **style)
    medians = format_values(texts.groupby("level").n_words.median().reindex(LEVELS), "median {:g}")
    ax.set_xticks(range(len(LEVELS)), map("\n".join, zip(LEVELS, medians)))
    return ax


def l1_shares(shares, title):
    """First languages x levels: % of a level's texts, as number and colour. shares: a frame of that shape."""
    ax = new_axes(title, 0.8 + 0.24 * len(shares), "", "")
    style = {"cmap": "crest", "vmin": 0, "annot": True, "fmt": ".0f", "linewidths": 1, "cbar": False}
    if len(shares):
        seaborn().heatmap(shares, yticklabels=[*map(short_label, shares.index)], ax=ax, **style)
    ax.grid(False)
    ax.set(xlabel="CEFR level (share of its texts, %)", ylabel="")
    return ax


def span_shares(shares, expected, title):
    """Observed beside expected shares of the span types. shares: span_type, share; expected: {type: share}."""
    observed = shares.set_index("span_type").share.reindex([*expected])
    table = 100 * observed.rename_axis(None).to_frame("observed").assign(expected=list(expected.values()))
    ax = new_axes(title, 3.0, "Span type", "Share of all spans (%)")
    bars = {"color": [KIND_COLOURS["specialist"], REFERENCE], "width": 0.8, "rot": 0, "legend": False, "grid": False}
    table.fillna(0).plot.bar(ax=ax, **bars)
    for name, container in zip(table, ax.containers):
        ax.bar_label(container, format_values(table[name], "{:.1f}"), padding=2)
    ax.figure.legend(**LEGEND)
    return ax
