"""Claims about the lines for corpus.yaml: they are complete, and a doubtful column is a comment."""

import yaml

from lib.corpus.report import paste_block
from tests.helpers.corpora import settings


def block(new_columns, new_levels, doubtful=(), **changes):
    return paste_block.paste_block(new_columns, new_levels, settings(**changes), doubtful)


def test_both_entries_are_given_and_known_ones_stay():
    assert block({"text": "essay"}, {}) == ["columns:", "  text: essay", "levels: {}"]
    assert block({}, {"B1+": "B1"}) == ["columns: {}", "levels:", '  "B1+": B1']
    both = yaml.safe_load("\n".join(block({"text": "essay"}, {"x": "B1"}, columns={"l1": "L"}, levels={"y": "drop"})))
    assert both == {"columns": {"l1": "L", "text": "essay"}, "levels": {"y": "drop", "x": "B1"}}


def test_nothing_is_pasted_where_nothing_is_needed():
    assert block({}, {}, columns={"l1": "L"}) == []


def test_a_doubtful_column_is_a_comment_that_may_be_uncommented():
    doubtful = [("learner_id", "Nickname of student")]
    lines = block({"text": "essay"}, {}, doubtful)
    assert lines[2] == '  # learner_id: "Nickname of student"  # if it names the learner'
    assert yaml.safe_load("\n".join(lines)) == {"columns": {"text": "essay"}, "levels": {}}
    lines[2] = lines[2].replace("# ", "", 1)
    assert yaml.safe_load("\n".join(lines))["columns"] == {"text": "essay", "learner_id": "Nickname of student"}
    alone = block({}, {}, doubtful)
    assert yaml.safe_load("\n".join(alone)) == {"columns": {}, "levels": {}}
    assert yaml.safe_load(alone[1].replace("# ", "", 1)) == {"columns": {"learner_id": "Nickname of student"}}


def test_the_demos_own_parameters_are_never_the_file_to_edit():
    assert paste_block.file_to_edit("params/demo/") == "params/mine/corpus.yaml"
    assert paste_block.file_to_edit("params/other") == "params/other/corpus.yaml"
