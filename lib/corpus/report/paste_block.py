"""The lines of `make inspect` for corpus.yaml: always both entries, so that they replace those of a copied file."""

from lib.corpus import levels

COPIED = "params/mine"  # where README has the user copy params/demo, which is not to be edited


def paste_block(columns, proposed_levels, settings, doubtful=()):
    """Lines for corpus.yaml, [] where it needs none.

    columns: {name here: name in the file}. proposed_levels: {label: level}. Those of settings, a `schemas.Corpus`, stay.
    doubtful: pairs of (name here, name in the file) that become comments.
    """
    if not columns and not proposed_levels and not doubtful:
        return []
    comments = [f"  # {levels.yaml_entry(column, name)}  # if it names the learner" for column, name in doubtful]
    column_lines = levels.yaml_block("columns", settings.columns | columns)
    return column_lines + comments + levels.yaml_block("levels", settings.levels | proposed_levels)


def file_to_edit(params):
    """The corpus.yaml in which the lines belong: that of the folder params, or of the copy of params/demo."""
    folder = str(params).rstrip("/")
    if folder.endswith("params/demo"):
        folder = COPIED
    return f"{folder}/corpus.yaml"
