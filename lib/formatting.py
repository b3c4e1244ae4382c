"""Numbers, durations and lists as sentences and tables show them."""

import difflib
import math
import re
from pathlib import Path

import jinja2

UNITS = [("seconds", 1 / 3600, 90 / 3600), ("minutes", 1 / 60, 1.5)]  # unit, its hours, hours below which it is used


def format_values(values, form):
    """Numbers as text, with a minus sign for negative ones; "n/a" where a number is missing or infinite."""
    return [form.format(value).replace("-", "−") if math.isfinite(value) else "n/a" for value in values]


def time_unit(hours):
    """(unit, its length in hours): the unit in which a duration is easiest to read."""
    for unit, length, below in UNITS:
        if hours < below:
            return unit, length
    return "hours", 1


def format_hours(hours):
    """hours in words: "0.4 seconds", "12 minutes", "3.5 hours"."""
    unit, length = time_unit(hours)
    return f"{hours:,.1f} hours" if unit == "hours" else f"{hours / length:.2g} {unit}"


def format_gigabytes(gigabytes):
    """gigabytes in words: "15 MB", "12.3 GB"."""
    return f"{1000 * gigabytes:.2g} MB" if gigabytes < 0.1 else f"{gigabytes:,.1f} GB"


def strip_markup(text):
    """text as a terminal may show it: characters that would move its cursor or colour it are escaped."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def join_names(names):
    """Names as a list in a sentence: "A1, A2 and C1", or "none"."""
    *first, last = names or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def nearest(name, names, cutoff=0.6):
    """The member of names that resembles name most, or None. cutoff: the lowest similarity that counts, 0 to 1."""
    return next(iter(difflib.get_close_matches(name, names, 1, cutoff)), None)


def nearest_sentence(name, names, form="{}"):
    """A sentence and a space, "Nearest: study. ", or nothing. form: how the name is shown, such as "EXPERIMENT={}"."""
    near = nearest(name, names)
    return f"Nearest: {form.format(near)}. " if near else ""


def format_number(value, form="{:.1f}"):
    """One number as text, "n/a" where it is None or NaN."""
    return "n/a" if value is None or math.isnan(value) else form.format(value).replace("-", "−")


class Sentences:
    """The sentences of a module: the macros of templates/<module>.jinja. A line there that begins with spaces continues
    the line before. file: the module's __file__."""

    def __init__(self, file):
        file = Path(file)
        source = (file.parent / f"templates/{file.stem}.jinja").read_text(encoding="utf-8")
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
        environment.filters |= {"form": format, "listed": join_names}
        self._macros = environment.from_string(re.sub(r"\n +", " ", source)).module

    def __call__(self, name, /, **facts):
        """The text of the macro `name` with these facts filled in."""
        return getattr(self._macros, name)(**facts).removesuffix("\n")
