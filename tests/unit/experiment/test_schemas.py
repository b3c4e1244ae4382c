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
        parameters.load_file(tmp_path / "corpus.yaml")
    assert all(word in str(error.value) for word in ["corpus.yaml", *words])


A1 = Path("params/demo/a1.yaml").read_text(encoding="utf-8")


def load(tmp_path, text):
    path = tmp_path / "a1.yaml"
    path.write_text(text, encoding="utf-8")
    return parameters.load_file(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("learning_rate", "learning_ratee", ["learning_ratee: unknown", "learning_rate"]),
        ("patience: ", "patience: -", ["patience", "greater than 0"]),
        ("learning_rate: ", "learning_rate: 5e-5 # ", ["'5e-5'", "write 5.0e-5"]),
        ("levels: [A1]", "levels: [A7]", ["levels.0", "A7"]),
        ("levels: [A1]", "levels: [NO]", ["levels.0", "False"]),
        ("max_grad_norm: 1.0", "max_grad_norm: 1.0\nmax_grad_norm: 2.0", ["given twice: max_grad_norm"]),
        ("model: a1", "model: a2", ["'a2'", "'a1'"]),
        ("n_layer: 1", "n_layer: 2.5", ["n_layer", "2.5"]),
        ("seeds: [0, 1]", "seeds: [0, 0]", ["seeds"]),
        ("init_from: scratch", "init_from: a1", ["cannot start from itself"]),
        ("max_grad_norm: 1.0", "max_grad_norm: 1.0\nsnapshot_at: {A1: 2416}", ["snapshot_at", "no more than"]),
        ("score_at: [", "score_at: [32, 16, ", ["score_at", "must increase"]),
        ("score_at: [", "score_at: [20, ", ["score_at", "multiple of examples_per_step"]),
        ("schedule: constant", "schedule: constant\nas_many_texts_as: B1", ["as_many_texts_as", "one of levels"]),
        ("schedule: constant", "schedule: constant\nlevel_mix: equal", ["level_mix", "needs as_many_texts_as"]),
        ("schedule: constant", "schedule: linear\nsnapshot_at: {A1: 800}", ["snapshot_at", "another training"]),
        ("dropout: 0.0", "", ["dropout: missing"]),
        ("model: a1", "model: [a1", ["not readable as YAML"]),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_way_on(tmp_path, old, new, words):
    assert old in A1
    with pytest.raises(errors.ParameterError) as error:
        load(tmp_path, A1.replace(old, new, 1))
    assert all(word in str(error.value) for word in ["a1.yaml", *words])


def test_the_unchanged_file_passes(tmp_path):
    assert load(tmp_path, A1).levels == ["A1"]
