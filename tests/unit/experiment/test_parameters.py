"""Claims about parameter files: nothing misspelt gets through, and the notebooks agree with the demo's files."""

import ast
from pathlib import Path

import nbformat
import pytest
import yaml

from lib import design, errors
from lib.experiment import parameters
from lib.experiment.notebook import SCHEMAS

A1 = Path("params/demo/a1.yaml").read_text(encoding="utf-8")
NOTEBOOKS = {
    "01_extract": "corpus", "02_mask": "masks", "03_train": "a1", "04_evaluate": "a1",
    "05_infill": "infill", "06_compare": "hypotheses", "07_hypotheses": "hypotheses",
}  # fmt: skip
FROM_THE_GRAPH = {"experiment", "corpus", "model", "seeds", "models"}  # set by the Snakefile, in no file of their own


def test_a_notebook_refuses_a_name_that_only_looks_like_a_parameter():
    cell = {**parameters.load_file("params/demo/a1.yaml").model_dump(), "learning_rat": 0.1}
    with pytest.raises(errors.ParameterError, match="did you mean learning_rate"):
        parameters.from_cell(parameters.Train, cell)


def test_seeds_must_agree_within_a_profile(tmp_path):
    for file in Path("params/demo").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(
            text.replace("[0, 1]", "[0, 2]") if file.stem == "b2" else text, encoding="utf-8"
        )
    with pytest.raises(errors.ParameterError, match="same seeds"):
        parameters.load_profile(tmp_path)


@pytest.mark.parametrize(
    "folder, names", [("known_answers", "a1 a2 b1 b2 c1 general"), ("two_levels", "a1 a2 general")]
)
def test_known_answer_studies_have_equal_budgets(folder, names):
    models = [p for p in parameters.load_profile(f"params/{folder}").values() if isinstance(p, parameters.Train)]
    models = [p for p in models if p.init_from == "scratch"]
    assert {p.model for p in models} == set(names.split())
    assert len({str(p.model_copy(update={"model": "", "levels": []})) for p in models}) == 1


@pytest.mark.parametrize("folder", ["params/demo", "params/efcamdat", "params/efcamdat_fast"])
def test_all_profiles_hold_eleven_models_that_differ_by_level_alone(folder):
    models = {name: p for name, p in parameters.load_profile(folder).items() if isinstance(p, parameters.Train)}
    specialists = ["a1", "a2", "b1", "b2", "c1"]
    assert {*specialists, *(f"{name}_transfer" for name in specialists), "general"} <= set(models)
    for name in specialists:
        assert models[name].levels == models[f"{name}_transfer"].levels == [name.upper()]
        assert models[f"{name}_transfer"].init_from == "general"
    same = {"learning_rate", "examples_per_step", "dropout", "n_layer", "n_embd", "n_head", "max_grad_norm", "patience"}
    for field in same:
        assert len({getattr(models[name], field) for name in [*specialists, "general"]}) == 1, field


@pytest.mark.parametrize("folder", ["params/demo", "params/efcamdat", "params/efcamdat_fast"])
def test_each_control_differs_from_what_it_controls_in_one_thing(folder):
    models = {name: p for name, p in parameters.load_profile(folder).items() if isinstance(p, parameters.Train)}
    levels = ["A1", "A2", "B1", "B2", "C1"]
    general = models["general"].model_copy(update={"snapshot_at": {}, "score_at": []})
    changes = {"level_prompted": {"level_prefix": True}, "initial": {"max_examples": 0, "infill": False}}
    for level in levels if folder != "params/demo" else []:
        rest = [other for other in levels if other != level]
        changes[f"general_without_{level.lower()}"] = {"levels": rest, "infill": False}
    for name, change in changes.items():
        assert models[name] == general.model_copy(update={"model": name} | change), name
    longer = {"model": "general_continued", "levels": levels, "infill": False}
    assert models["general_continued"] == models["a1_transfer"].model_copy(update=longer)
    equal_text = [f"general_{mix}_text_c1" for mix in ("equal", "balanced")]
    if folder != "params/demo":
        equal_text = list(design.EQUAL_TEXT_LEVEL)
    for name in equal_text:
        level = name[-2:].upper()
        mix = "equal" if "balanced" in name else "natural"
        change = {"levels": levels, "score_at": [], "as_many_texts_as": level, "level_mix": mix, "infill": False}
        assert models[name] == models[level.lower()].model_copy(update={"model": name} | change), name
    eleven = {"general", *(level.lower() for level in levels), *(f"{level.lower()}_transfer" for level in levels)}
    assert set(models) == eleven | set(changes) | {"general_continued", *equal_text}


def test_snapshots_of_the_general_model_have_specialist_budgets(tmp_path):
    for file in Path("params/demo").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        text = text.replace("examples: 1200", "examples: 1600") if file.stem == "b2" else text
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    with pytest.raises(errors.ParameterError, match=r"general.yaml: snapshot_at says B2: 1200, but b2.yaml has.* 1600"):
        parameters.load_profile(tmp_path)


@pytest.mark.parametrize(
    "was, written, expected",
    [
        ("max_examples: 1008", "max_examples: 2016", "max_examples is 2016; expected 1008"),
        ("as_many_texts_as: C1", "as_many_texts_as: B1", "as_many_texts_as is 'B1'; expected 'C1'"),
        ("level_mix: natural", "level_mix: equal", "level_mix is 'equal'; expected 'natural'"),
    ],
)
def test_a_control_of_text_is_what_its_name_says(tmp_path, was, written, expected):
    for file in Path("params/demo").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if file.stem == "general_equal_text_c1":
            text = text.replace(was, written)
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    with pytest.raises(errors.ParameterError, match=f"general_equal_text_c1.yaml: {expected}"):
        parameters.load_profile(tmp_path)


def test_budgets_are_five_times_the_plans_as_upper_limits():
    study = parameters.load_profile("params/efcamdat")
    budgets = {name: p.max_examples for name, p in study.items() if isinstance(p, parameters.Train)}
    assert [budgets[name] for name in ["a1", "a2", "b1", "b2", "c1", "general"]] == [
        5 * n for n in (400_000, 320_000, 240_000, 160_000, 80_000, 480_000)
    ]  # fmt: skip
    assert study["a1"].init_from == study["general"].init_from == study["masks"].tokenizer == "gpt2"
    assert len(study["a1"].seeds) == 3


@pytest.mark.parametrize("folder", ["params/efcamdat", "params/efcamdat_fast"])
def test_every_budget_lets_patience_end_a_training(folder):
    models = [p for p in parameters.load_profile(folder).values() if isinstance(p, parameters.Train) and p.max_examples]
    assert all(p.max_examples >= 4 * p.patience * p.eval_every for p in models)


def test_the_fast_recipe_is_the_study_with_larger_steps_alone():
    faithful, fast = parameters.load_profile("params/efcamdat"), parameters.load_profile("params/efcamdat_fast")
    larger = {"examples_per_step": 240, "learning_rate": 1.6e-4}
    for name, study in faithful.items():
        assert fast[name] == study.model_copy(update=larger if isinstance(study, parameters.Train) else {}), name
        if isinstance(study, parameters.Train):
            assert (study.examples_per_step, study.learning_rate) == (24, 5.0e-5)


def test_every_model_file_names_what_the_cell_has_another_default_for():
    # papermill keeps the cell's value, the demo's A1 specialist's, for what a file does not name
    of_a1 = parameters.load_file("params/demo/a1.yaml").model_dump()
    fields = parameters.Train.model_fields.items()
    other = {name for name, field in fields if not field.is_required() and of_a1[name] != field.get_default()}
    written = {file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in Path("params").glob("*/*.yaml")}
    lacking = {file: other - set(values) for file, values in written.items() if "model" in values}
    assert "score_at" in other
    assert not any(lacking.values()), lacking


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_parameters_cell_is_the_demos_file(name):
    notebook = nbformat.read(f"notebooks/{name}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    lines = ast.parse(cells[0].source).body
    values = {line.targets[0].id: ast.literal_eval(line.value) for line in lines}
    expected = parameters.load_file(f"params/demo/{NOTEBOOKS[name]}.yaml").model_dump()
    expected = {key: value for key, value in expected.items() if key in SCHEMAS[name].model_fields}
    assert {key: value for key, value in values.items() if key in expected} == expected
    assert set(values) - set(expected) <= FROM_THE_GRAPH
    if name == "06_compare":  # in the order of the graph, which is that of rows in the tables
        profile = parameters.load_profile("params/demo")
        assert values["models"] == [model for model in profile if isinstance(profile[model], parameters.Train)]
    written = cells[0].source.splitlines()
    assert all("#" in written[line.end_lineno - 1] for line in lines), "each parameter says what it is"


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(errors.ParameterError, match="Known are: gpu-server, laptop, slurm; or: cp -r"):
        parameters.load_machine("clutser")


def test_parameters_that_do_not_fit_are_named_without_the_others():
    values = parameters.load_file("params/demo/a1.yaml").model_dump() | {"n_embd": 97}
    with pytest.raises(errors.ParameterError) as refused:
        parameters.validate(parameters.Train, values, "a1.yaml")
    assert str(refused.value) == "a1.yaml: 1 problem(s)\n  n_embd: must be a multiple of n_head"
