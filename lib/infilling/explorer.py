"""The explorer of 05_infill: `queries` with buttons, in a notebook that somebody uses interactively."""

import os
from html import escape

import ipywidgets as widgets

from lib.experiment import lock
from lib.figures.tables import to_html
from lib.infilling import queries

MAX_MEGABYTES = 50  # of a model that is read from disk for a table
WORDS_PER_PAGE = 150  # words that have a button at the same time
TINY = 10_000_000  # parameters of a model, below which it writes little that makes sense
COLUMNS = {  # of the answers: what they mean
    "trained on": "CEFR levels of the model's training texts",
    "1.": "to <b>5.</b>: the most probable fillings of the blank, each with its probability",
    "blank 1": "and so on: the most probable filling of each blank, with its probability",
    "p(given)": "probability of the words in the brackets",
    "tokens": "words or pieces of words that are predicted, each from those before it",
    "nats": "mean surprisal per token, a natural logarithm",
    "bits": "the same as a logarithm to the base 2",
    "perplexity": "<i>e</i> to the nats; roughly, among how many equally likely tokens the model hesitates",
}
SCROLLS = """<style>@media (min-width: 700px) { .narrow-page { display: none; } }</style>
<small class="narrow-page">The table scrolls sideways.</small>"""


def explorer_limits():
    """The size in megabytes up to which models are read for a table: 0 in a run of the study, which would wait."""
    return 0 if lock.RUN_VARIABLE in os.environ else MAX_MEGABYTES


class Explorer(widgets.VBox):
    """A text, its words as buttons, two queries, and the answers of the models."""

    def __init__(self, panel, marked):
        self.panel = panel
        self.first_word = 0  # of those that have a button
        full_width = widgets.Layout(width="auto")
        self.text = widgets.Textarea(marked, rows=4, layout=full_width, continuous_update=False)
        self.words = widgets.Box(layout=widgets.Layout(flex_flow="row wrap"))
        self.pages = _row()
        self.fill = _button("Fill the blanks", self._fill, "primary")
        self.score = _button("Which model predicts this text best?", self._score)
        self.message = widgets.HTML()
        self.table = widgets.HTML(layout=widgets.Layout(overflow="auto"))
        self.table.add_class("jp-RenderedHTMLCommon")  # the style of tables in JupyterLab
        self.legend = widgets.HTML()
        self.text.observe(lambda _: self._update_words(), "value")
        self._update_words()
        reasons = "".join(f"<li>{escape(model)}: {escape(reason)}</li>" for model, reason in panel.absent.items())
        absent = widgets.HTML(f"Not available:<ul>{reasons}</ul>" if reasons else "")
        parts = [widgets.HTML(size_note(panel.facts)), self.text, self.words, self.pages, _row(self.fill, self.score)]
        super().__init__([*parts, self.message, self.table, self.legend, absent])

    def _update_words(self):
        """Give the words of a page a button each; those of blanks are coloured."""
        pieces = queries.pieces(self.text.value)
        if self.first_word >= len(pieces):
            self.first_word = 0
        buttons = []
        for n, (piece, is_blank) in enumerate(pieces):
            if self.first_word <= n < self.first_word + WORDS_PER_PAGE:
                buttons.append(_button(piece, lambda n=n: self._toggle(n), "warning" if is_blank else ""))
        self.words.children = buttons
        self.pages.children = self._page_buttons(len(pieces))

    def _page_buttons(self, n_words):
        """Buttons that lead to the words before and after those of this page, where a text is longer than a page."""
        if n_words <= WORDS_PER_PAGE:
            return []
        last = min(self.first_word + WORDS_PER_PAGE, n_words)
        earlier = _button("Earlier words", lambda: self._turn(-WORDS_PER_PAGE))
        further = _button("Further words", lambda: self._turn(WORDS_PER_PAGE))
        earlier.disabled = self.first_word == 0
        further.disabled = last == n_words
        return [earlier, further, widgets.HTML(f"Words {self.first_word + 1} to {last} of {n_words}")]

    def _turn(self, n_words):
        self.first_word += n_words
        self._update_words()

    def _toggle(self, n):
        self.text.value = queries.toggle(self.text.value, n)

    def _fill(self):
        self._answer(queries.fill_blanks)

    def _score(self):
        self._answer(queries.text_perplexity)

    def _answer(self, query_function):
        """Query all models, and show each row as soon as it is there."""
        query = queries.parse_query(self.text.value)
        rows = []
        self.table.value = self.legend.value = ""
        self.fill.disabled = self.score.disabled = True
        try:
            for row in self.panel.ask(query_function, query):
                rows.append(row)
                self.message.value = f"{len(rows)} of {len(self.panel.facts)} models have answered"
                table = self.panel.in_order(rows)
                self.table.value = SCROLLS + to_html(table, sorts=True)
                self.legend.value = legend(table)
            if query_function is queries.text_perplexity:
                self.message.value = escape(f"{queries.lowest_perplexity(table)} {queries.NOT_A_GRADER}")
        except (OSError, ValueError) as error:
            self.message.value = escape(str(error))
        finally:
            self.fill.disabled = self.score.disabled = False


def _button(description, action, style=""):
    """A button as wide as its words. action: a function without arguments."""
    layout = widgets.Layout(width="auto", max_width="100%")
    button = widgets.Button(description=description, button_style=style, layout=layout)
    button.on_click(lambda _: action())
    return button


def _row(*children):
    """Widgets beside each other, in several lines where the page is narrow."""
    return widgets.Box(children, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def size_note(facts):
    """A warning, as HTML, where all models are tiny, as those of the demo; else nothing. facts: {model: train.json}."""
    largest = max((one["parameters_total"] for one in facts.values()), default=TINY)
    if largest >= TINY:
        return ""
    return (
        f"<b>These models are tiny: {largest / 1e6:.1f} million parameters</b>, where GPT-2 has 124 million. They show "
        "how the explorer works. Most of what they write makes no sense, and says nothing about learners."
    )


def legend(table):
    """What the columns of a table of answers mean, as HTML."""
    notes = [f"<b>{name}</b> {meaning}" for name, meaning in COLUMNS.items() if name in table]
    if table.astype(str).eq(queries.NOT_ENDED).any(axis=None):
        notes.append(f"<b>{queries.NOT_ENDED}</b> the model wrote on without an end")
    return f"<small>{'. '.join(notes)}.</small>"
