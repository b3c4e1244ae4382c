"""Numbers, durations and lists as sentences and tables have them."""

import difflib
import math
import re
from pathlib import Path

import jinja2

UNITS = [("seconds", 1 / 3600, 90 / 3600), ("minutes", 1 / 60, 1.5)]  # its hours, and from how many on another is taken


def format_values(values, form):
    return [form.format(value).replace("-", "−") if math.isfinite(value) else "n/a" for value in values]


def time_unit(hours):
    """(unit, how many hours it has) in which so many hours are best told."""
    for unit, size, to in UNITS:
        if hours < to:
            return unit, size
    return "hours", 1


def format_hours(hours):
    """hours in words: "0.4 seconds", "12 minutes", "3.5 hours"."""
    unit, size = time_unit(hours)
    return f"{hours:,.1f} hours" if unit == "hours" else f"{hours / size:.2g} {unit}"


def format_gigabytes(gigabytes):
    return f"{1000 * gigabytes:.2g} MB" if gigabytes < 0.1 else f"{gigabytes:,.1f} GB"


def strip_markup(text):
    """text as a terminal may show it: what would move its cursor or colour it is spelled out."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def join_names(names):
    """Names as a sentence has them: "A1, A2 and C1", or "none"."""
    *some, last = names or ["none"]
    return f"{', '.join(some)} and {last}" if some else last


def nearest(name, names, cutoff=0.6):
    """The one of names that is most like name, or None where none is like it. cutoff: the least likeness, 0 to 1."""
    return next(iter(difflib.get_close_matches(name, names, 1, cutoff)), None)


def nearest_sentence(name, names, form="{}"):
    """A sentence and a space, "Nearest: study. ", or nothing. form: of what is told, as "EXPERIMENT={}"."""
    near = nearest(name, names)
    return f"Nearest: {form.format(near)}. " if near else ""


def format_number(value, form="{:.1f}"):
    return "n/a" if value is None or math.isnan(value) else form.format(value).replace("-", "−")


class Sentences:
    """The sentences of a module: the macros of templates/<module>.jinja, where a line that begins with spaces goes on
    the one before. file: the module's __file__."""

    def __init__(self, file):
        file = Path(file)
        source = (file.parent / f"templates/{file.stem}.jinja").read_text(encoding="utf-8")
        there = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
        there.filters |= {"form": format, "listed": join_names}
        self._macros = there.from_string(re.sub(r"\n +", " ", source)).module

    def __call__(self, name, /, **facts):
        """What the macro `name` says of these facts."""
        return getattr(self._macros, name)(**facts).removesuffix("\n")
