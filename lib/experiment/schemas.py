"""The parameters of params/<profile>/ and of the notebooks' parameters cells: names, types and ranges."""

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
SpanType = Literal["word", "ngram", "sentence", "document"]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
ModelName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]  # of a file, a folder and a graph's wildcard
Column = Literal["text_id", "learner_id", "level", "l1", "nationality", "topic_id", "text"]


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class Corpus(Parameters):
    """corpus.yaml, for 01_extract."""

    text_column: Literal["text", "text_corrected"]  # the text as written, or its automatic correction
    valid_share: Share  # of texts, per level
    test_share: Share
    split_seed: Annotated[int, Field(ge=0)]
    copied_share: Share  # of word 8-grams found in training texts, from which on a text counts as copied
    held_out_prompts: Annotated[float, Field(ge=0, lt=0.5)]  # of a level's texts, on prompts for testing only; at most
    encoding: str  # of XML and CSV files: utf-8, cp1252, utf-16
    columns: dict[Column, str]  # the project's name -> the name in the file, if it differs
    levels: dict[str, Literal[*CEFR, "drop"]]  # level in the file -> CEFR level, or drop
    max_words: Count | None = None  # of a text; what follows is cut off
    sheets: list[str] = []  # of workbooks, the sheets to read, also hidden ones; by default all visible sheets
    min_test_learners: Annotated[int, Field(ge=2)] = 5  # of a level, for a verdict; the graph gives hypotheses.yaml's
    stop_if_too_small: bool = True  # does 01 stop where no level has as many?

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
        """YAML reads NO as False and 1 as a number, although both are meant as text."""
        for cell in itertools.chain(*names.items()) if isinstance(names, dict) else []:
            if not isinstance(cell, str):
                raise ValueError(f"YAML reads {cell!r} as {type(cell).__name__}, not as text: write it in quotes")
        return names


class Masks(Parameters):
    """masks.yaml, for 02_mask."""

    tokenizer: str  # "bpe" trains one on the training texts; otherwise a Hugging Face name or a folder
    vocabulary_size: Count  # of the trained tokenizer
    max_length: Annotated[int, Field(gt=64)]  # tokens of the longest example; a text may have up to 64 fewer
    splitter: Literal["rules", "punkt"]
    mask_seed: Annotated[int, Field(ge=0)]
    mask_probability: Share  # that a unit becomes a blank
    ngram_share: Share  # of the blanks at words that become n-grams
    max_ngram: Count  # words
    masks_per_text: Count  # different masks of each text in one training pass
    max_redraws: Count  # draws to find a mask that a text does not have yet
    frozen_masks_per_text: Count  # of each text, drawn as in training
    span_type_mask_rate: Share  # mask_probability in the frozen masks of a single span type
    frozen_span_types: list[SpanType] = ["word", "ngram", "sentence", "document"]  # those with a frozen mask a text
    frozen_texts_per_level: dict[Literal["valid", "test"], Count] = {}  # how many have masks at most; by default all


class Train(Parameters):
    """The file of a model, for 03_train, 04_evaluate and 05_infill. Parameters with defaults are for controls."""

    model: ModelName
    levels: Annotated[list[Level], Field(min_length=1)]
    init_from: str  # "scratch", another model of the profile, a Hugging Face name, or a folder
    seeds: Seeds
    max_examples: Annotated[int, Field(ge=0, multiple_of=8)]  # budget, in groups of 8 as in ILM; 0: the initial weights
    eval_every: Count  # examples between two evaluations on the validation set
    patience: Count  # evaluations without a lower validation loss before training stops
    examples_per_step: Annotated[int, Field(gt=0, multiple_of=8)]
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    schedule: Literal["constant", "linear"]  # linear: the rate decreases to 0 at the end of the budget
    max_grad_norm: Annotated[float, Field(gt=0)]  # longer gradients are scaled down to this norm
    dropout: Annotated[float, Field(ge=0, lt=1)]
    n_layer: Count  # size of a model from scratch
    n_head: Count
    n_embd: Count
    devices: Annotated[int, Field(gt=0, le=8)] = 1  # GPUs, or processes on a CPU, that share each step's examples
    precision: Literal["float32", "bfloat16", "auto"] = "float32"  # of matrix products in training
    level_prefix: bool = False  # does each example begin with a token for the level of the text?
    snapshot_at: dict[Level, Count] = {}  # level: budget; the weights after that many examples are saved too
    score_at: list[Count] = []  # examples read, where validation texts are scored, for gain against examples
    as_many_texts_as: Level | None = None  # trained on a sample with as many texts as this level has
    level_mix: Literal["natural", "equal"] = "natural"  # of that sample: the corpus's mix of levels, or equal parts
    infill: bool = True  # does 05_infill use this model?

    @model_validator(mode="after")
    def _consistent(self):
        if any(budget > self.max_examples for budget in self.snapshot_at.values()):
            raise ValueError("snapshot_at: a budget may be no more than max_examples")
        if self.snapshot_at and self.schedule != "constant":
            raise ValueError("snapshot_at: unless the schedule is constant, a smaller budget is another training")
        if self.score_at != sorted(set(self.score_at)):
            raise ValueError("score_at: numbers of examples must increase")
        if any(n % self.examples_per_step for n in self.score_at):
            raise ValueError("score_at: each must be a multiple of examples_per_step")
        if self.as_many_texts_as and self.as_many_texts_as not in self.levels:
            raise ValueError("as_many_texts_as: must be one of levels")
        if self.level_mix != "natural" and not self.as_many_texts_as:
            raise ValueError("level_mix: needs as_many_texts_as, the level that tells the number of texts")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each may be given only once")
        if self.n_embd % self.n_head:
            raise ValueError("n_embd: must be a multiple of n_head")
        if self.eval_every % self.examples_per_step:
            raise ValueError("eval_every: must be a multiple of examples_per_step")
        if self.init_from == self.model:
            raise ValueError("init_from: a model cannot start from itself")
        return self


class Evaluate(Parameters):
    """What 04_evaluate reads of a model's file. It reads the other parameters from train.json."""

    model: ModelName
    seeds: Seeds


class Infill(Parameters):
    """infill.yaml, for 05_infill."""

    words_per_level: Count  # blanks of a single word
    samples_per_level: Count  # masked texts filled by sampling
    num_beams: Annotated[int, Field(ge=5)]  # beams of the search for the most probable fillings
    top_p: Share  # probability mass of nucleus sampling
    infill_seed: Annotated[int, Field(ge=0)]


class Hypotheses(Parameters):
    """hypotheses.yaml, for 06_compare and 07_hypotheses. Margins are relative perplexity differences: .10 is 10 %."""

    margin_per: Literal["token", "word", "character"] = "token"  # what the perplexity is per, in margins and gains
    h1_margin: Share
    h1_strong: Share
    h2_margin: Share
    h3_margin: Share
    alpha: Share
    power: Share  # for the minimum detectable effect
    bootstrap_resamples: Annotated[int, Field(ge=100)]  # resamples of learners
    min_learners: Annotated[int, Field(ge=2)]  # of a level, for a verdict
    recommendation_margin: Share  # above the best perplexity, relative
    analysis_seed: Annotated[int, Field(ge=0)]


class Machine(Parameters):
    """profiles/<name>/machine.yaml: the resources of one job."""

    device: Literal["cpu", "cuda"]
    tflops: Annotated[float, Field(gt=0)] | None  # measured with matrix products on one device
    gpu_gb: Annotated[float, Field(gt=0)] | None = None  # memory of one GPU, with which make plan compares
    threads: Count
    parallel_jobs: Count  # jobs that run at the same time
    max_hours: Annotated[float, Field(gt=0)]  # time limit of one job
