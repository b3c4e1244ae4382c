"""Claims about an experiment: its folders, its name, and messages on missing files."""

import pytest

from lib import errors
from lib.experiment import folders


def test_a_missing_input_names_the_notebook_that_makes_it(tmp_path):
    with pytest.raises(errors.MissingResult, match="01_extract"):
        folders.require_file(tmp_path / "texts.parquet", "01_extract")


@pytest.mark.parametrize("name", ["my study", "a/b", "../x", "", "-r", ".", "it's", "{x}"])
def test_a_name_that_is_no_folder_is_refused_with_one_that_is(name, tmp_path):
    with pytest.raises(errors.InvalidName, match="Try EXPERIMENT=") as refused:
        folders.Experiment(name, tmp_path)
    assert folders.Experiment(str(refused.value).rpartition("=")[2], tmp_path).folder.parent == tmp_path / "runs"
    assert folders.Experiment("größer_2.1", tmp_path).name == "größer_2.1"
