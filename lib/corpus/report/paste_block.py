"""The lines of `make inspect` for corpus.yaml: always both entries, so that they replace those of a copied file."""

from lib.corpus import levels

COPIED = "params/mine"  # where README has the user copy params/demo, which is not to be edited


def paste_block(columns, proposed_levels, settings, doubtful=()):
    """Lines for corpus.yaml, [] where it needs none.

    columns: {name here: name in the file}. proposed_levels: {label: level}. settings: a `schemas.Corpus`, kept in full.
    doubtful: pairs of (name here, name in the file) that become comments.
    """
    if not columns and not proposed_levels and not doubtful:
        return []
    all_columns = settings.columns | columns
    comments = [_comment(levels.yaml_entry(column, name), all_columns) for column, name in doubtful]
    level_lines = levels.yaml_block("levels", settings.levels | proposed_levels)
    return levels.yaml_block("columns", all_columns) + comments + level_lines


def _comment(entry, columns):
    """An entry that is right once its first # is removed; below `columns: {}` it replaces that line."""
    if columns:
        return f"  # {entry}  # if it names the learner"
    return f"# columns: {{{entry}}}  # in place of the line above, if it names the learner"


def file_to_edit(params):
    """The corpus.yaml in which the lines belong: that of the folder params, or of the copy of params/demo."""
    folder = str(params).rstrip("/")
    if folder.endswith("params/demo"):
        folder = COPIED
    return f"{folder}/corpus.yaml"
