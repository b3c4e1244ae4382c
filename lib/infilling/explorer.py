"""The explorer of 05_infill: `queries` with buttons, in a notebook that somebody uses interactively."""

import os
from html import escape

import ipywidgets as widgets

from lib.experiment import lock
from lib.figures.tables import to_html
from lib.infilling import queries

MAX_MEGABYTES = 50  # of a model that is read from disk for a table
MAX_BUTTONS = 150  # words of a long text that have a button; further ones can be put in brackets


def explorer_limits():
    """The size in megabytes up to which models are read for a table: 0 in a run of the study, which would wait."""
    return 0 if lock.RUN_VARIABLE in os.environ else MAX_MEGABYTES


class Explorer(widgets.VBox):
    """A text, its words as buttons, two queries, and the answers of the models."""

    def __init__(self, panel, marked):
        self.panel = panel
        full_width = widgets.Layout(width="100%")
        auto_width = widgets.Layout(width="auto")
        self.text = widgets.Textarea(marked, rows=3, layout=full_width, continuous_update=False)
        self.words = widgets.Box(layout=widgets.Layout(flex_flow="row wrap"))
        self.fill = widgets.Button(description="Fill the blanks", button_style="primary")
        self.score = widgets.Button(description="Which model predicts this text best?", layout=auto_width)
        self.message = widgets.HTML()
        self.table = widgets.HTML(layout=widgets.Layout(overflow="auto"))
        self.table.add_class("jp-RenderedHTMLCommon")  # the style of tables in JupyterLab
        self.text.observe(lambda _: self._update_words(), "value")
        self.fill.on_click(lambda _: self._answer(queries.fill_blanks))
        self.score.on_click(lambda _: self._answer(queries.text_perplexity))
        self._update_words()
        reasons = "".join(f"<li>{escape(model)}: {escape(reason)}</li>" for model, reason in panel.absent.items())
        absent = widgets.HTML(f"Not available:<ul>{reasons}</ul>" if reasons else "")
        buttons = widgets.HBox([self.fill, self.score])
        super().__init__([self.text, self.words, buttons, self.message, self.table, absent])

    def _update_words(self):
        """Give each word a button; those of blanks are coloured."""
        buttons = []
        for n, (piece, is_blank) in enumerate(queries.pieces(self.text.value)[:MAX_BUTTONS]):
            style = "warning" if is_blank else ""
            button = widgets.Button(description=piece, button_style=style, layout=widgets.Layout(width="auto"))
            button.on_click(lambda _, n=n: self._toggle(n))
            buttons.append(button)
        self.words.children = buttons

    def _toggle(self, n):
        self.text.value = queries.toggle(self.text.value, n)

    def _answer(self, query_function):
        """Query all models, and show each row as soon as it is there."""
        query = queries.parse_query(self.text.value)
        rows = []
        self.table.value = ""
        self.fill.disabled = self.score.disabled = True
        try:
            for row in self.panel.ask(query_function, query):
                rows.append(row)
                self.message.value = f"{len(rows)} of {len(self.panel.facts)} models have answered"
                table = self.panel.in_order(rows)
                self.table.value = to_html(table, sorts=True)
            if query_function is queries.text_perplexity:
                self.message.value = escape(f"{queries.lowest_perplexity(table)} {queries.NOT_A_GRADER}")
        except (OSError, ValueError) as error:
            self.message.value = escape(str(error))
        finally:
            self.fill.disabled = self.score.disabled = False
