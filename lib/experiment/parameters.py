"""Parameter files, read and checked: one per model and step in params/<profile>/, with the fields of schemas.py."""

import types
from pathlib import Path

import yaml
from pydantic import ValidationError

from lib.design import BALANCED_TEXT, EQUAL_TEXT_LEVEL, specialist_of
from lib.errors import ParameterError
from lib.experiment.schemas import RENAMED, Corpus, Hypotheses, Infill, Machine, Masks, Train
from lib.formatting import nearest, nearest_sentence

FILES = {"machine": Machine, "corpus": Corpus, "masks": Masks, "infill": Infill, "hypotheses": Hypotheses}


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice; YAML itself would keep the last value."""

    def construct_mapping(self, node, deep=False):
        keys = [str(key.value) for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ParameterError(f"{node.start_mark.name}: given twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def load_file(path):
    """Read and check one parameter file; the schema follows from its name.

    Raises ParameterError naming the file, the key, what was found and the nearest known key.
    """
    try:
        with open(path, encoding="utf-8") as file:
            values = yaml.load(file, _UniqueKeyLoader) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"{path} is not readable as YAML: {error}") from None
    schema = FILES.get(Path(path).stem, Train)
    checked = validate(schema, values, path)
    if schema is Train and checked.model != Path(path).stem:
        raise ParameterError(f"{path}: model is {checked.model!r}; expected the file's name, {Path(path).stem!r}")
    return checked


def validate(schema, values, where):
    """values (a dict) as an instance of schema, or ParameterError in words."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, schema) for problem in error.errors()]
        raise ParameterError("\n".join([f"{where}: {len(lines)} problem(s)", *lines])) from None


def _explain(problem, schema):
    key = ".".join(map(str, problem["loc"]))
    if RENAMED.get(key) in schema.model_fields:
        return f"  {key}: renamed; write {RENAMED[key]}"
    if problem["type"] == "extra_forbidden":
        return f"  {key}: unknown; the nearest known name is {nearest(key, schema.model_fields, cutoff=0)}"
    if problem["type"] == "missing":
        return f"  {key}: missing"
    if not problem["loc"]:  # several parameters do not fit each other
        return f"  {problem['msg'].removeprefix('Value error, ')}"
    hint = ""
    if isinstance(problem["input"], str) and "number" in problem["msg"]:
        hint = "; YAML reads 5e-5 as text: write 5.0e-5"
    return f"  {key}: found {problem['input']!r}; {problem['msg'][0].lower()}{problem['msg'][1:]}{hint}"


def load_machine(name, root="."):
    """The Machine of profiles/<name> in the repository `root`; raises ParameterError naming the profiles there are."""
    file = Path(root, "profiles", name, "machine.yaml")
    if not file.exists():
        known = sorted(path.parent.name for path in Path(root, "profiles").glob("*/machine.yaml"))
        near = nearest_sentence(name, known, "PROFILE={}")
        raise ParameterError(
            f"There is no {file}. {near}Known are: {', '.join(known)}; or: cp -r profiles/slurm profiles/NAME"
        )
    return load_file(file)


def from_cell(schema, cell):
    """The parameters of a notebook, checked. cell: the notebook's globals().

    A name that is not a parameter but looks like one is refused, because papermill sets unknown names silently.
    """
    fields = schema.model_fields
    for name, value in cell.items():
        is_code = isinstance(value, (types.ModuleType, type)) or callable(value) or name.startswith("_")
        if name in fields or is_code:
            continue
        if RENAMED.get(name) in fields:
            raise ParameterError(f"{name} is renamed; write {RENAMED[name]}")
        near = nearest(name, fields, cutoff=0.85)
        if near and f"{name}s" not in fields:
            raise ParameterError(f"{name} is not a parameter of this notebook; did you mean {near}?")
    return validate(schema, {name: cell[name] for name in fields if name in cell}, "the parameters cell")


def load_profile(folder):
    """All parameters of a profile: {file stem: instance}, checked one by one and against each other."""
    files = sorted(Path(folder).glob("*.yaml"))
    if not files:
        known = sorted(f"params/{other.name}" for other in Path("params").glob("*") if any(other.glob("*.yaml")))
        hint = nearest_sentence(str(folder), known) or f"There are {', '.join(known)}."
        raise ParameterError(f"{folder} holds no parameter files, which PARAMS=folder is to name. {hint}".strip())
    loaded = {file.stem: load_file(file) for file in files}
    absent = [name for name in FILES if name not in loaded and name != "machine"]
    if absent:
        raise ParameterError(f"{folder}: missing {', '.join(name + '.yaml' for name in absent)}")
    models = {name: p for name, p in loaded.items() if isinstance(p, Train)}
    seeds = {tuple(p.seeds) for p in models.values()}
    if len(seeds) > 1:
        raise ParameterError(f"{folder}: all models need the same seeds; found {sorted(seeds)}")
    for p in models.values():
        _check_snapshots(folder, p, models)
        _check_equal_text(folder, p, models)
    return loaded


def _check_snapshots(folder, general, models):
    """A snapshot at a level has the budget of the specialist of this level, if there is one."""
    for level, budget in general.snapshot_at.items():
        specialist = models.get(level.lower())
        if specialist and specialist.max_examples != budget:
            raise ParameterError(
                f"{folder}/{general.model}.yaml: snapshot_at says {level}: {budget}, but {specialist.model}.yaml has "
                f"max_examples: {specialist.max_examples}; the two must be equal"
            )


def _check_equal_text(folder, control, models):
    """A general model on as many texts as a level has is what its name says, and has the specialist's budget, so that
    the two differ in their texts alone."""
    level = EQUAL_TEXT_LEVEL.get(control.model)
    if level is None:
        return
    expected = {"as_many_texts_as": level, "level_mix": "natural"}
    if control.model.startswith(BALANCED_TEXT):
        expected["level_mix"] = "equal"
    specialist = models.get(specialist_of(level))
    if specialist:
        expected["max_examples"] = specialist.max_examples
    for name, value in expected.items():
        found = getattr(control, name)
        if found != value:
            raise ParameterError(f"{folder}/{control.model}.yaml: {name} is {found!r}; expected {value!r}")
