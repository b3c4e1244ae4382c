"""Claims about how notebooks begin: few rooms, few lines, one call; and that 04 takes a whole parameter file."""

import ast
import contextlib
import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
import threadpoolctl
import torch

from lib import errors
from lib.evaluation import scoring
from lib.evaluation.statistics import resampled_sums
from lib.experiment import folders, lock, notebook, parameters
from lib.experiment.files import read_json, write_json
from lib.infilling import decoding
from lib.masking import frozen_masks

A1 = parameters.load_file("params/demo/a1.yaml").model_dump()
CORPUS = parameters.load_file("params/demo/corpus.yaml").model_dump()
HYPOTHESES = Path("params/demo/hypotheses.yaml").resolve()
NOTEBOOKS = sorted(Path("notebooks").glob("0*.ipynb"))


def code(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def rooms(source):
    """Rooms of lib that code imports; what stands there as a single file, as design, is none."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "lib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("lib."):
            found.add(node.module.split(".")[1])
    return {room for room in found if Path("lib", room).is_dir()}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_three_to_six_rooms_are_opened_in_fifteen_lines(path):
    cells = code(path)
    importing = [source for source in cells if "import " in source and rooms(source)]
    assert len(importing) == 1 and importing[0].count("\n") < 15
    assert 3 <= len(rooms(importing[0])) <= 6, rooms(importing[0])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_one_call(path):
    (first,) = [source for source in code(path) if "notebook.start" in source]
    assert f'notebook.start(globals(), "{path.stem}")' in first.splitlines()[0]
    assert path.stem in notebook.SCHEMAS


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository without results, as the current folder."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01_extract.ipynb").write_text('{"cells": []}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_start_refuses_a_wrong_value_and_a_wrong_name(here):
    cell = {"experiment": "mine", "model": "a1", "seeds": [0]}
    run, settings = notebook.start(cell, "04_evaluate")
    assert (run.name, run.notebook, settings.seeds) == ("mine", "04_evaluate", [0])
    with pytest.raises(errors.ParameterError, match="seeds"):
        notebook.start(cell | {"seeds": 0}, "04_evaluate")
    with pytest.raises(errors.InvalidName):
        notebook.start(cell | {"experiment": "a b"}, "04_evaluate")


@pytest.mark.parametrize("folder", ["demo", "efcamdat"])
def test_04_takes_a_models_whole_file_as_papermill_does(folder, monkeypatch):
    monkeypatch.chdir(".")  # and back again
    for name, p in parameters.load_profile(f"params/{folder}").items():
        if isinstance(p, parameters.Train):
            _, settings = notebook.start(p.model_dump() | {"experiment": "mine"}, "04_evaluate")
            assert settings.model == name


def test_what_a_notebook_writes_is_for_its_user_alone(here):
    before = os.umask(0)
    try:
        notebook.start({"experiment": "mine", "model": "a1", "seeds": [0]}, "04_evaluate")
        Path("table.csv").touch()
        Path("folder").mkdir()
    finally:
        os.umask(before)
    assert [Path(name).stat().st_mode & 0o777 for name in ["table.csv", "folder"]] == [0o600, 0o700]


@pytest.mark.parametrize("place", [".", "notebooks", "runs/mine/deep"])
def test_a_notebook_finds_its_repository_from_anywhere_inside(place, here, monkeypatch):
    (here / place).mkdir(parents=True, exist_ok=True)
    (here / place / "my.csv").touch()
    monkeypatch.chdir(here / place)
    cell = CORPUS | {"experiment": "mine", "corpus": ["my.csv"]}
    run, _ = notebook.start(cell, "01_extract")
    assert Path.cwd() == here / "notebooks" and run.folder.resolve() == here / "runs/mine"
    assert Path(cell["corpus"][0]).resolve() == (here / place / "my.csv").resolve()


def test_outside_any_repository_the_one_of_lib_is_taken(tmp_path, monkeypatch):
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    notebook.start({"experiment": "mine", "model": "a1", "seeds": [0]}, "04_evaluate")
    assert Path.cwd() == root / "notebooks"


@pytest.fixture
def finished(run, monkeypatch):
    """{path: content} of a study in which a1, seed 0, is trained; its root is the current folder."""
    monkeypatch.chdir(run.root)
    return {path: path.read_bytes() for path in (run.root / "runs").rglob("*") if path.is_file()}


def train_by_hand(weights, seed=0, **changed):
    """What the cells of 03 do; returns its run."""
    run, settings = notebook.start(A1 | {"experiment": "study"} | changed, "03_train")
    run.require(run.index.with_name("report.json"), "02_mask")
    write_json({"weights": weights, "commit": "another"}, run.model("a1", seed) / "train.json")
    run.write_manifest(settings, run.model("a1", seed))
    return run


def is_unchanged(finished):
    return all(path.read_bytes() == content for path, content in finished.items())


def test_a_finished_result_made_again_by_hand_is_not_rewritten(finished, capsys):
    run = train_by_hand(weights=7)
    assert is_unchanged(finished) and not Path("../runs/study/by_hand").exists()
    assert run.model("a1", 0) == run.folder / "models/a1/seed0" and capsys.readouterr().out == ""


def test_what_differs_from_a_finished_result_is_kept_aside(finished, capsys):
    run = train_by_hand(weights=8, learning_rate=0.001)
    aside = run.folder / "by_hand/03_train.a1/models/a1/seed0"
    assert is_unchanged(finished) and read_json(aside / "train.json")["weights"] == 8
    assert run.checkpoints("a1") == aside.parents[2] / "checkpoints/a1" and run.figures == aside.parents[2] / "figures"
    shown = capsys.readouterr().out
    assert "learning_rate was 0.004, is 0.001" in shown and f"remove {run.folder}/models/a1/seed0 and" in shown
    assert folders.results(run.folder) == [run.folder / name for name in ["corpus", "masks", "models/a1/seed0"]]


@pytest.mark.parametrize("damage", ["train.json", "manifest.json"])
def test_what_is_not_finished_is_made_in_its_place(damage, finished):
    (Path("runs/study/models/a1/seed0") / damage).write_text("{}")
    run = train_by_hand(weights=8)
    assert read_json(Path("../runs/study/models/a1/seed0/train.json"))["weights"] == 8 and not run.aside
    train_by_hand(weights=9, seed=1)  # which was never there
    assert read_json(Path("../runs/study/models/a1/seed1/train.json"))["weights"] == 9


@pytest.mark.parametrize("variable", [lock.GRAPH_VARIABLE, lock.RUN_VARIABLE])
def test_a_notebook_of_a_run_writes_in_its_place(variable, finished, monkeypatch):
    facts = {"pid": os.getpid(), "host": "here"}
    monkeypatch.setenv(variable, str(os.getpid()))
    with lock.acquire(Path("runs/study"), facts) if variable == lock.RUN_VARIABLE else contextlib.nullcontext():
        run = train_by_hand(weights=8)
    assert not run.aside and read_json(run.model("a1", 0) / "train.json")["weights"] == 8


def test_a_parameter_changed_halfway_stops_reading_and_writing(finished):
    cell = A1 | {"experiment": "study"}
    run, settings = notebook.start(cell, "03_train")
    cell["model"] = "B1"
    for use in [lambda: run.model("B1", 0), lambda: run.figures, lambda: run.write_manifest(settings)]:
        with pytest.raises(errors.ParameterError, match="model is 'B1', but this notebook began with 'a1'"):
            use()
    assert is_unchanged(finished)


def test_other_parameters_in_the_same_kernel_forget_what_was_made(finished, capsys):
    cell = A1 | {"experiment": "study", "pd": os, "_": 1}
    notebook.start(cell, "03_train")
    cell |= {"scores": [1], "again": lambda: 0}
    notebook.start(cell, "03_train")
    assert "scores" in cell and capsys.readouterr().out == ""
    cell["model"] = "b1"
    notebook.start(cell, "03_train")
    assert cell.keys() - A1.keys() == {"experiment", "pd", "_", "again", notebook.FIRST}
    assert "1 variables of earlier cells are forgotten" in capsys.readouterr().out


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_assigns_to_a_parameter(path):
    """Else a parameter would seem changed halfway."""
    first, *others = code(path)
    assigned = {node.id for source in others for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip
    names = {"experiment", *notebook.SCHEMAS[path.stem].model_fields, *notebook.MORE.get(path.stem, [])}
    assert names & assigned == set()


def use_threads(n):
    """Let this process compute with n threads, as OMP_NUM_THREADS=n does where it is started."""
    threadpoolctl.threadpool_limits(n)
    torch.set_num_threads(n)


@pytest.fixture
def usual_threads():
    n = torch.get_num_threads()
    yield
    use_threads(n)


def numbers(model, tokenizer, index, drawing, first_special):
    """What 04, 05 and 06 compute for a small model, as bytes: scores, fillings by five beams, resampled sums."""
    frozen = frozen_masks.draw_frozen(index.iloc[:12], drawing, "word", 1)
    keys, tokens, roles = scoring.frozen_examples(index.iloc[:12], frozen, first_special)
    scores = scoring.score(model, keys, tokens, roles)
    prompts = [decoding.build_prompt(*example) for example in zip(tokens, roles)]
    _, logprobs = decoding.top_words(model, tokenizer, prompts, num_beams=5)
    sums = resampled_sums(np.random.default_rng(0).normal(size=(700, 60)), 1000)
    return [np.asarray(values, float).tobytes() for values in (scores["nll_text"], logprobs, sums)]


def test_numbers_do_not_depend_on_the_threads_at_the_start(
    model, tokenizer, index, drawing, first_special, tmp_path, monkeypatch, usual_threads
):
    """Without `start` they are unequal on an AMD EPYC: OpenBLAS and MKL add up in another order."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01_extract.ipynb").write_text('{"cells": []}')
    monkeypatch.chdir(tmp_path)
    found = {}
    for n in [1, 2]:
        use_threads(n)
        notebook.start({"experiment": "mine", "model": "a1", "seeds": [0]}, "04_evaluate")
        found[n] = numbers(model, tokenizer, index, drawing, first_special)
    assert found[1] == found[2]


@pytest.mark.parametrize(
    "name, profile, expected",
    [("04_evaluate", "wide", 2), ("04_evaluate", "gone", 1), ("04_evaluate", None, 1), ("06_compare", "wide", 1)],
)
def test_the_last_runs_profile_decides_the_threads(name, profile, expected, tmp_path, monkeypatch, usual_threads):
    for folder in ["notebooks", "profiles/wide", "runs/mine"]:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "notebooks/01_extract.ipynb").write_text('{"cells": []}')
    machine = Path("profiles/laptop/machine.yaml").read_text().replace("threads: 1", "threads: 2")
    (tmp_path / "profiles/wide/machine.yaml").write_text(machine)
    if profile:
        with lock.acquire(tmp_path / "runs/mine", {"profile": profile, "ended": True}):
            pass
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    cell = {"experiment": "mine"}
    if name == "04_evaluate":
        cell |= {"model": "a1", "seeds": [0]}
    else:
        cell |= parameters.load_file(HYPOTHESES).model_dump()
    notebook.start(cell, name)
    assert torch.get_num_threads() == expected
    assert os.environ["OMP_NUM_THREADS"] == str(expected)
