"""Claims about what each parameter file may hold."""

from pathlib import Path

import pytest

from lib import errors
from lib.experiment import parameters


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("levels: {NO: A1}", ["levels", "False", "in quotes"]),
        ("levels: {2: A1}", ["levels", "2 as int", "in quotes"]),
        ('levels: {"2": A7}', ["levels.2", "A7", "'drop'"]),
        ("columns: {text: 1}", ["columns", "1 as int", "in quotes"]),
        ("columns: {txt: essay}", ["columns.txt", "'text'"]),
        ("columns: [text]", ["columns", "dictionary"]),
        ("encoding: utf-9", ["encoding", "utf-9", "cp1252"]),
        ("encoding: hex", ["encoding", "hex"]),
    ],
)
def test_a_wrong_name_in_corpus_yaml_is_refused_with_the_way_on(tmp_path, line, words):
    lines = Path("params/demo/corpus.yaml").read_text(encoding="utf-8").splitlines()
    kept = [old for old in lines if not old.startswith(line.split(":")[0] + ":")]
    (tmp_path / "corpus.yaml").write_text("\n".join([*kept, line]), encoding="utf-8")
    with pytest.raises(errors.ParameterError) as error:
        parameters.load(tmp_path / "corpus.yaml")
    assert all(word in str(error.value) for word in ["corpus.yaml", *words])
