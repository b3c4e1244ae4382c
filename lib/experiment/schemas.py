"""What the files of params/<profile>/ may hold: names, types, ranges. The notebooks' parameters cells hold the same."""

import itertools
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lib.design import CEFR, LEVELS

# the parameters' names until 2026-11-28: an old one is refused with the new one named
RENAMED = {
    "p": "mask_probability", "tries": "max_redraws", "mix_sets": "frozen_masks_per_text",
    "typed_rate": "span_type_mask_rate", "vocabulary": "vocabulary_size", "examples": "max_examples",
    "keep_at": "snapshot_at", "clip": "max_grad_norm", "level_token": "level_prefix", "beams": "num_beams",
    "nucleus": "top_p", "bootstrap": "bootstrap_resamples", "recommend_within": "recommendation_margin",
    "at_once": "parallel_jobs", "longest_hours": "max_hours",
}  # fmt: skip
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Level = Literal[*LEVELS]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
ModelName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]  # of a file, a folder and a graph's wildcard
Column = Literal["text_id", "learner_id", "level", "l1", "topic_id", "text"]


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
    levels: dict[str, Literal[*CEFR, "drop"]]  # the file's level -> CEFR, or leave out
    sheets: list[str] = []  # of workbooks, those to read, hidden ones too; none named: all that can be seen

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
    vocabulary_size: Count  # of the trained tokenizer
    max_length: Annotated[int, Field(gt=64)]  # tokens of the longest example; a text may have 64 fewer
    splitter: Literal["rules", "punkt"]
    mask_seed: Annotated[int, Field(ge=0)]
    mask_probability: Share  # chance that a unit becomes a blank, at each stage of the walk
    ngram_share: Share  # of word-level blanks that become n-grams
    max_ngram: Count  # words
    masks_per_text: Count  # unique masks a text in one training pass
    max_redraws: Count  # to find a mask that a text does not have yet
    frozen_masks_per_text: Count  # frozen masks a text, drawn as in training
    span_type_mask_rate: Share  # the same chance in the frozen masks of one span type


class Train(Parameters):
    """One file a model, for 03_train, whose models 04 and 05 ask. What only controls need may be left out."""

    model: ModelName
    levels: Annotated[list[Level], Field(min_length=1)]
    init_from: str  # "scratch", another model of the profile, or a Hugging Face name or folder
    seeds: Seeds
    max_examples: Annotated[int, Field(ge=0, multiple_of=8)]  # budget, in ILM's groups of 8; 0: the initial weights
    eval_every: Count  # examples between two evaluations on the validation set
    patience: Count  # evaluations without a lower validation loss before training stops
    examples_per_step: Annotated[int, Field(gt=0, multiple_of=8)]
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    schedule: Literal["constant", "linear"]  # linear: the rate falls to 0 at the end of the budget
    max_grad_norm: Annotated[float, Field(gt=0)]  # gradient norm
    dropout: Annotated[float, Field(ge=0, lt=1)]
    n_layer: Count  # size of a model from scratch
    n_head: Count
    n_embd: Count
    devices: Annotated[int, Field(gt=0, le=8)] = 1  # GPUs, or processes on a CPU, that share each step's examples
    level_prefix: bool = False  # does each example begin with a token that tells the text's level?
    snapshot_at: dict[Level, Count] = {}  # level: keep the weights too that a budget of so many examples would leave
    infill: bool = True  # does 05_infill let it write?

    @model_validator(mode="after")
    def _consistent(self):
        if any(budget > self.max_examples for budget in self.snapshot_at.values()):
            raise ValueError("snapshot_at: a smaller budget has no more than `max_examples`")
        if self.snapshot_at and self.schedule != "constant":
            raise ValueError("snapshot_at: with another schedule than constant, a smaller budget is another training")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each may stand once")
        if self.n_embd % self.n_head:
            raise ValueError("n_embd: must be a multiple of n_head")
        if self.eval_every % self.examples_per_step:
            raise ValueError("eval_every: must be a multiple of examples_per_step")
        if self.init_from == self.model:
            raise ValueError("init_from: a model cannot start from itself")
        return self


class Evaluate(Parameters):
    """What 04_evaluate takes of a model's file: the rest is as it was in training, in train.json."""

    model: ModelName
    seeds: Seeds


class Infill(Parameters):
    """infill.yaml, for 05_infill."""

    words_per_level: Count  # single-word blanks
    samples_per_level: Count  # masked texts filled by sampling
    num_beams: Annotated[int, Field(ge=5)]  # candidates kept while searching the most probable fillings
    top_p: Share  # probability mass that sampling draws from
    infill_seed: Annotated[int, Field(ge=0)]


class Hypotheses(Parameters):
    """hypotheses.yaml, for 06_compare and 07_hypotheses. Margins are shares of perplexity: .10 is 10 %."""

    h1_margin: Share
    h1_strong: Share
    h2_margin: Share
    h3_margin: Share
    alpha: Share
    power: Share  # for the minimum detectable effect
    bootstrap_resamples: Annotated[int, Field(ge=100)]  # resamples of learners
    min_learners: Annotated[int, Field(ge=2)]  # in a cell, to answer at all
    recommendation_margin: Share  # of the best perplexity
    analysis_seed: Annotated[int, Field(ge=0)]


class Machine(Parameters):
    """profiles/<name>/machine.yaml: what one job gets there."""

    device: Literal["cpu", "cuda"]
    tflops: Annotated[float, Field(gt=0)] | None  # of products of matrices on one device
    threads: Count
    parallel_jobs: Count  # jobs side by side
    max_hours: Annotated[float, Field(gt=0)]  # that one job may take
