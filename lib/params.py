"""Typed parameters: one model a file of params/<profile>/, the same names as in the notebooks' parameters cells."""

import difflib
import itertools
import types
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Level = Literal["A1", "A2", "B1", "B2", "C1"]
Column = Literal["text_id", "learner_id", "level", "l1", "topic_id", "text"]


class ParameterError(ValueError):
    """A parameter is unknown, mistyped, out of range or given twice."""


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class Corpus(Parameters):
    """corpus.yaml, for 01_extract."""

    text_column: Literal["text", "text_corrected"]  # the learner's words, or the automatic correction
    valid_share: Share  # of texts, per level
    test_share: Share
    split_seed: Annotated[int, Field(ge=0)]
    copied_share: Share  # of a text's word 8-grams found in training text: from here on it counts as copied
    held_out_prompts: Annotated[float, Field(ge=0, lt=0.5)]  # of a level's texts, at most, on prompts kept for testing
    encoding: str  # of XML and CSV files: utf-8, cp1252, utf-16
    columns: dict[Column, str]  # name here -> name in the file, where it is another
    levels: dict[str, Literal["A1", "A2", "B1", "B2", "C1", "C2", "drop"]]  # the file's level -> CEFR, or leave out

    @field_validator("encoding")
    @classmethod
    def _known(cls, name):
        try:
            " ".encode(name)
        except LookupError:
            raise ValueError("not an encoding that Python knows; expected utf-8, cp1252 or utf-16") from None
        return name

    @field_validator("columns", "levels", mode="before")
    @classmethod
    def _quoted(cls, names):
        """YAML reads NO as False and 1 as a number: both were meant as text."""
        for cell in itertools.chain(*names.items()) if isinstance(names, dict) else []:
            if not isinstance(cell, str):
                raise ValueError(f"YAML reads {cell!r} as {type(cell).__name__}, not as text: write it in quotes")
        return names


class Masks(Parameters):
    """masks.yaml, for 02_mask."""

    tokenizer: str  # "bpe" trains one on the training texts; else a Hugging Face name or folder
    vocabulary: Count  # of the trained tokenizer
    max_length: Annotated[int, Field(gt=64)]  # tokens of the longest example; a text may have 64 fewer
    splitter: Literal["rules", "punkt"]
    mask_seed: Annotated[int, Field(ge=0)]
    p: Share  # chance that a unit becomes a blank, at each stage of the walk
    ngram_share: Share  # of word-level blanks that become n-grams
    max_ngram: Count  # words
    masks_per_text: Count  # unique masks a text in one training pass
    tries: Count  # to find a mask that a text does not have yet
    mix_sets: Count  # frozen masks a text, drawn as in training
    typed_rate: Share  # the same chance in the frozen masks of one span type


class Train(Parameters):
    """One file a model, for 03_train, 04_evaluate and 05_infill. What only controls need may be left out."""

    model: str
    levels: Annotated[list[Level], Field(min_length=1)]
    init_from: str  # "scratch", another model of the profile, or a Hugging Face name or folder
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    examples: Annotated[int, Field(ge=0, multiple_of=8)]  # training budget; 8 is the group of ILM's loss; 0: untuned
    eval_every: Count  # examples between two looks at the valid loss
    patience: Count  # looks without a better valid loss before training stops
    examples_per_step: Annotated[int, Field(gt=0, multiple_of=8)]
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    schedule: Literal["constant", "linear"]  # linear: the rate falls to 0 at the end of the budget
    clip: Annotated[float, Field(gt=0)]  # gradient norm
    dropout: Annotated[float, Field(ge=0, lt=1)]
    n_layer: Count  # size of a model from scratch
    n_head: Count
    n_embd: Count
    devices: Annotated[int, Field(gt=0, le=8)] = 1  # GPUs, or processes on a CPU, that share each step's examples
    level_token: bool = False  # does each example begin with a token that tells the text's level?
    keep_at: dict[Level, Count] = {}  # level: keep the weights too that a budget of so many examples would leave
    infill: bool = True  # does 05_infill let it write?

    @model_validator(mode="after")
    def _looks_fit(self):
        if any(budget > self.examples for budget in self.keep_at.values()):
            raise ValueError("keep_at: a smaller budget has no more than `examples`")
        if self.keep_at and self.schedule != "constant":
            raise ValueError("keep_at: with another schedule than constant, a smaller budget is another training")
        return self

    @model_validator(mode="after")
    def _consistent(self):
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each may stand once")
        if self.n_embd % self.n_head:
            raise ValueError("n_embd: must be a multiple of n_head")
        if self.eval_every % self.examples_per_step:
            raise ValueError("eval_every: must be a multiple of examples_per_step")
        if self.init_from == self.model:
            raise ValueError("init_from: a model cannot start from itself")
        return self


class Infill(Parameters):
    """infill.yaml, for 05_infill."""

    words_per_level: Count  # single-word blanks
    samples_per_level: Count  # masked texts filled by sampling
    beams: Annotated[int, Field(ge=5)]  # candidates kept while searching the most probable fillings
    nucleus: Share  # probability mass that sampling draws from
    infill_seed: Annotated[int, Field(ge=0)]


class Hypotheses(Parameters):
    """hypotheses.yaml, for 06_compare and 07_hypotheses. Margins are shares of perplexity: .10 is 10 %."""

    h1_margin: Share
    h1_strong: Share
    h2_margin: Share
    h3_margin: Share
    alpha: Share
    power: Share  # for the minimum detectable effect
    bootstrap: Annotated[int, Field(ge=100)]  # resamples of learners
    min_learners: Annotated[int, Field(ge=2)]  # in a cell, to answer at all
    recommend_within: Share  # of the best perplexity
    analysis_seed: Annotated[int, Field(ge=0)]


class Machine(Parameters):
    """profiles/<name>/machine.yaml: what one job gets there."""

    device: Literal["cpu", "cuda"]
    tflops: Annotated[float, Field(gt=0)] | None  # of products of matrices on one device
    threads: Count
    at_once: Count  # jobs side by side
    longest_hours: Annotated[float, Field(gt=0)]  # that one job may take


FILES = {"machine": Machine, "corpus": Corpus, "masks": Masks, "infill": Infill, "hypotheses": Hypotheses}


class _OneOfEach(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice; YAML itself would keep the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ParameterError(f"{node.start_mark.name}: given twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def load(path):
    """Read and check one parameter file; the schema follows from its name.

    Raises ParameterError naming the file, the key, what was found and the nearest known key.
    """
    with open(path, encoding="utf-8") as file:
        try:
            values = yaml.load(file, _OneOfEach) or {}
        except yaml.YAMLError as error:
            raise ParameterError(f"{path} is not readable as YAML: {error}") from None
    schema = FILES.get(Path(path).stem, Train)
    checked = check(schema, values, path)
    if schema is Train and checked.model != Path(path).stem:
        raise ParameterError(f"{path}: model is {checked.model!r}; expected the file's name, {Path(path).stem!r}")
    return checked


def check(schema, values, where):
    """values (a dict) as an instance of schema, or ParameterError in words."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, schema) for problem in error.errors()]
        raise ParameterError("\n".join([f"{where}: {len(lines)} problem(s)", *lines])) from None


def _explain(problem, schema):
    key = ".".join(map(str, problem["loc"])) or "the file"
    if problem["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, schema.model_fields, 1, cutoff=0)
        return f"  {key}: unknown; the nearest known name is {nearest[0]}"
    if problem["type"] == "missing":
        return f"  {key}: missing"
    hint = ""
    if isinstance(problem["input"], str) and "number" in problem["msg"]:
        hint = "; YAML reads 5e-5 as text: write 5.0e-5"
    return f"  {key}: found {problem['input']!r}; {problem['msg'][0].lower()}{problem['msg'][1:]}{hint}"


def machine(name):
    """The Machine of profiles/<name>; raises ParameterError naming the profiles there are."""
    file = Path("profiles") / name / "machine.yaml"
    if not file.exists():
        known = ", ".join(sorted(path.parent.name for path in Path("profiles").glob("*/machine.yaml")))
        raise ParameterError(f"There is no {file}. Known are: {known}; or: cp -r profiles/slurm profiles/{name}")
    return load(file)


def take(schema, cell):
    """The parameters of a notebook, checked. cell: the notebook's globals().

    A name that is not a parameter but looks like one is refused, because papermill sets unknown names silently.
    """
    fields = schema.model_fields
    for name, value in cell.items():
        foreign = isinstance(value, (types.ModuleType, type)) or callable(value) or name.startswith("_")
        close = [] if f"{name}s" in fields else difflib.get_close_matches(name, fields, 1, cutoff=0.85)
        if close and name not in fields and not foreign:
            raise ParameterError(f"{name} is not a parameter of this notebook; did you mean {close[0]}?")
    return check(schema, {name: cell[name] for name in fields if name in cell}, "the parameters cell")


def profile(folder):
    """All parameters of a profile: {file stem: instance}, checked one by one and against each other."""
    files = sorted(Path(folder).glob("*.yaml"))
    if not files:
        known = sorted(f"params/{other.name}" for other in Path("params").glob("*") if any(other.glob("*.yaml")))
        near = difflib.get_close_matches(str(folder), known, 1)
        found = f"Nearest: {near[0]}" if near else f"There are {', '.join(known)}"
        raise ParameterError(f"{folder} holds no parameter files, which PARAMS=folder is to name. {found}.")
    loaded = {file.stem: load(file) for file in files}
    absent = [name for name in FILES if name not in loaded and name != "machine"]
    if absent:
        raise ParameterError(f"{folder}: missing {', '.join(name + '.yaml' for name in absent)}")
    models = {name: p for name, p in loaded.items() if isinstance(p, Train)}
    seeds = {tuple(p.seeds) for p in models.values()}
    if len(seeds) > 1:
        raise ParameterError(f"{folder}: all models need the same seeds; found {sorted(seeds)}")
    for name, p in models.items():
        for level, budget in p.keep_at.items():
            own = models.get(level.lower())
            if own and own.examples != budget:
                raise ParameterError(f"{folder}/{name}.yaml: keep_at says {level}: {budget}, but {own.model}.yaml has "
                                     f"examples: {own.examples}; they are there to be equal")
    return loaded
