"""Numbers, durations and lists as sentences and tables have them."""

import numpy as np
import pandas as pd


def formatted(values, form):
    return [form.format(value).replace("-", "−") if np.isfinite(value) else "n/a" for value in values]


def time_of(hours):
    """hours in words: "0.4 seconds", "12 minutes", "3.5 hours"."""
    for unit, size, to in [("seconds", 1 / 3600, 90 / 3600), ("minutes", 1 / 60, 1.5)]:
        if hours < to:
            return f"{hours / size:.2g} {unit}"
    return f"{hours:,.1f} hours"


def size_of(gigabytes):
    return f"{1000 * gigabytes:.2g} MB" if gigabytes < 0.1 else f"{gigabytes:,.1f} GB"


def plain(text):
    """text as a terminal may show it: what would move its cursor or colour it is spelled out."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def listed(names):
    """Names as a sentence has them: "A1, A2 and C1", or "none"."""
    *some, last = names or ["none"]
    return f"{', '.join(some)} and {last}" if some else last


def bullets(told):
    """Markdown: {word: sentences} as a list."""
    return "\n".join(f"- **{word}.** {words}" for word, words in told.items())


def number(value, form="{:.1f}"):
    return "n/a" if pd.isna(value) else form.format(value).replace("-", "−")
