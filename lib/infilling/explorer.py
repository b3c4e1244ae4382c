"""The explorer of 05_infill: queries.py by mouse and keyboard, where somebody sits before the notebook."""

import os
from html import escape

import ipywidgets as widgets

from lib.experiment import lock
from lib.figures.tables import to_html
from lib.infilling import queries

SMALL = 50  # megabytes of a model that is read from the disk for a table
BUTTONS = 150  # words of a long text that can be clicked; further ones take brackets


def explorer_limits():
    """Megabytes of a model worth reading for a table: none while a whole study waits for it."""
    return 0 if lock.RUN_VARIABLE in os.environ else SMALL


class Explorer(widgets.VBox):
    """Text, its words as buttons, two questions, and the answers as models give them."""

    def __init__(self, panel, marked):
        self.panel = panel
        wide = widgets.Layout(width="100%")
        self.text = widgets.Textarea(marked, rows=3, layout=wide, continuous_update=False)
        self.words = widgets.Box(layout=widgets.Layout(flex_flow="row wrap"))
        self.fill = widgets.Button(description="Fill the blanks", button_style="primary")
        self.whose = widgets.Button(description="Which level wrote this?", layout=widgets.Layout(width="auto"))
        self.said, self.table = widgets.HTML(), widgets.HTML(layout=widgets.Layout(overflow="auto"))
        self.table.add_class("jp-RenderedHTMLCommon")  # as JupyterLab shows tables of a cell
        self.text.observe(lambda _: self._spell(), "value")
        self.fill.on_click(lambda _: self._answer(queries.fill_blanks, queries.parse_query(self.text.value)))
        self.whose.on_click(lambda _: self._answer(queries.whole_text, queries.parse_query(self.text.value)))
        self._spell()
        absent = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in panel.absent.items())
        missing = widgets.HTML(f"Not asked:<ul>{absent}</ul>" if absent else "")
        asked = widgets.HBox([self.fill, self.whose])
        super().__init__([self.text, self.words, asked, self.said, self.table, missing])

    def _spell(self):
        """Give each word a button; a blank's is coloured."""
        buttons = []
        for n, (piece, blank) in enumerate(queries.pieces(self.text.value)[:BUTTONS]):
            style = "warning" if blank else ""
            button = widgets.Button(description=piece, button_style=style, layout=widgets.Layout(width="auto"))
            button.on_click(lambda _, n=n: self._toggle(n))
            buttons.append(button)
        self.words.children = buttons

    def _toggle(self, n):
        self.text.value = queries.toggle(self.text.value, n)

    def _answer(self, answer, question):
        """Ask all models, and show each row when it is there."""
        rows, self.table.value = [], ""
        self.fill.disabled = self.whose.disabled = True
        try:
            for row in self.panel.ask(answer, question):
                rows.append(row)
                self.said.value = f"{len(rows)} of {len(self.panel.facts)} models have answered"
                table = self.panel.in_order(rows)
                self.table.value = to_html(table, sorts=True)
            if answer is queries.whole_text:
                self.said.value = escape(f"{queries.lowest_perplexity(table)} {queries.NO_GRADER}")
        except (OSError, ValueError) as error:
            self.said.value = escape(str(error))
        finally:
            self.fill.disabled = self.whose.disabled = False
