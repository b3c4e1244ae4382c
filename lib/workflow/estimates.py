"""Estimates of what a training will need: hours from the machine's speed, memory and disk from counts."""

import time
from pathlib import Path
from typing import NamedTuple

from lib import hub
from lib.corpus.efcamdat import CHARACTERS, TEXTS
from lib.formatting import format_gigabytes, format_hours

# share of the matrix rate that training reaches: bench/records/cpu.json; on a GPU an assumption, not measured
REACHED = {"cpu": 0.65, "cuda": 0.38}
EVALUATION_REACHED = {"cpu": 0.65, "cuda": 0.026}  # in float32: 67 of 989 TFLOP/s by the H100's data sheet
TRAINING_BYTES = 16  # per parameter: weight, gradient, two of Adam's
CHECKPOINT_BYTES = 12  # per parameter in a checkpoint; up to four exist: newest, previous, best, and one being written
KERNEL_GB = 0.7  # of a kernel with torch and transformers loaded
ACTIVATIONS = 20  # vectors of the model's width that backward needs, for each token in each layer
LOGIT_BYTES = {"cpu": 8 * 256, "cuda": 10}  # for each token of the vocabulary: in all, and for each token of a step
TOKENS_PER_CHARACTER = 81 / 333  # of an example with its special tokens, by GPT-2's tokenizer
SPECIAL_TOKENS = 6  # of an example: a separator, and two for each of 2.5 blanks
HOST_GB = 6  # of a job without its model: the index of a large corpus, and the processes that assemble steps
OVERHEAD_MINUTES = 2  # of a job without its training: start, reading, drawing
POSITION_EMBEDDINGS = ("wpe", "embed_positions", "position_embeddings")  # parts of their parameters' names


class Size(NamedTuple):
    """The size of a model."""

    parameters: int
    positions: int  # parameters of position embeddings, which are looked up and cost no products
    layers: int
    width: int
    vocabulary: int


def matrix_rate(device, bfloat16):
    """FLOP/s of matrix products here, in bfloat16 or float32; on a CPU with the threads torch uses."""
    import torch  # here, since the graph needs estimates but not torch

    size = 8192 if device == "cuda" else 768
    a, b = torch.randn(2, size, size, device=device, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    (a @ b).sum().item()  # warms up, and waits for the end
    start = time.perf_counter()
    for _ in range(8):
        c = a @ b
    c.sum().item()
    return 8 * 2 * size**3 / (time.perf_counter() - start)


def estimate(model, steps, validation_tokens, n_evaluations, device, rate):
    """What one seed will need, by estimate: hours, memory_gb (of the GPU where there is one), disk_gb while training.

    model: before its first step; steps: `Steps`; validation_tokens: of one evaluation on the validation set;
    n_evaluations: how many there are; rate: FLOP/s, `matrix_rate`.
    """
    tokens = int(steps.lengths.sum())
    step_tokens = steps.lengths.sum() / max(1, len(steps))
    return _estimate(
        size_of(model),
        tokens,
        validation_tokens * n_evaluations,
        step_tokens,
        len(steps.settings.snapshot_at),
        device,
        rate,
    )


def describe(needs, settings, free):
    """A sentence on what a training will need. needs: of `estimate`; settings: Train parameters; free: GB on disk."""
    time = f"about {format_hours(needs['hours'] / settings.devices)} a seed, {len(settings.seeds)} seeds"
    memory, disk, free_disk = map(format_gigabytes, (needs["memory_gb"], needs["disk_gb"], free))
    return f"{time}; {memory} of memory, {disk} of disk, {free_disk} free"


def _estimate(size, tokens, validation_tokens, step_tokens, n_snapshots, device, rate):
    """A token costs 6 FLOP per parameter forward and backward, 2 forward (Kaplan et al. 2020); positions cost nothing.

    size: a Size; tokens: of all training examples.
    """
    n = size.parameters
    flop = (n - size.positions) * (6 * tokens + 2 * validation_tokens)
    memory = training_memory(size, step_tokens, device)
    disk = (4 * CHECKPOINT_BYTES + 4 + 8 * n_snapshots) * n / 1e9  # snapshots: with the checkpoints and in the model
    return {"hours": flop / rate / REACHED[device] / 3600, "memory_gb": memory, "disk_gb": disk}


def training_memory(size, step_tokens, device):
    """GB of memory that training takes with so many tokens at once; of the GPU where there is one. size: a Size."""
    bytes_per_number = 2 if device == "cuda" else 4
    activations = step_tokens * size.layers * ACTIVATIONS * bytes_per_number * size.width
    logits = size.vocabulary * LOGIT_BYTES[device] * (step_tokens if device == "cuda" else 1)
    return (TRAINING_BYTES * size.parameters + activations + logits) / 1e9 + KERNEL_GB


def size_of(model):
    """The Size of a model of transformers."""
    config = model.config.get_text_config()
    positions = 0
    for name, parameter in model.named_parameters():
        if any(part in name for part in POSITION_EMBEDDINGS):
            positions += parameter.numel()
    n = sum(p.numel() for p in model.parameters())
    return Size(n, positions, config.num_hidden_layers, config.hidden_size, config.vocab_size)


def planned_size(settings, masks, models):
    """The Size that a model of a study will have: by the config of its base, if that is on this machine, else by file.

    settings, masks: Train and Masks parameters; models: {name: Train parameters} of the study.
    """
    while settings.init_from in models:
        settings = models[settings.init_from]
    size = None
    if settings.init_from != "scratch":
        size = base_size(settings.init_from)
    return size or _size_by_file(settings, masks)


def base_size(base):
    """The Size of a base by its config.json, without its weights; None where that is not on this machine."""
    import torch  # here, since the graph needs estimates but none of these
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(hub.resolve(base), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError):
        return None
    with torch.device("meta"):
        return size_of(AutoModelForCausalLM.from_config(config))


def _size_by_file(settings, masks):
    width = settings.n_embd
    vocabulary = masks.vocabulary_size + 7
    positions = masks.max_length * width
    n = vocabulary * width + positions + settings.n_layer * (12 * width**2 + 13 * width) + 2 * width
    return Size(n, positions, settings.n_layer, width, vocabulary)


def lengths(run_dir=None):
    """{level: (texts, mean tokens of an example)} of the run in run_dir if 02 has indexed it, else of EFCAMDAT."""
    if run_dir is None or not (Path(run_dir) / "masks/index.parquet").exists():
        return {level: (n, TOKENS_PER_CHARACTER * CHARACTERS[level]) for level, n in TEXTS.items()}
    import pandas as pd  # here, as torch above

    from lib.masking import token_index

    texts = pd.read_parquet(Path(run_dir) / "corpus/texts.parquet", columns=["text_id", "level"])
    index = token_index.read_index(Path(run_dir) / "masks/index.parquet")[["text_id", "ids"]]
    index["tokens"] = index["ids"].list.len() + SPECIAL_TOKENS
    by_level = texts.merge(index, on="text_id").groupby("level")["tokens"]
    return {level: (len(tokens), float(tokens.mean())) for level, tokens in by_level}


def counted(files, settings):
    """`lengths` of a corpus that no run has indexed yet: its texts by level, tokens estimated from characters.

    files: paths; settings: a `schemas.Corpus`. Raises CorpusError for what cannot be read.
    """
    from lib.corpus import levels, reading  # here, as torch above

    table, _ = reading.read_corpus(files, settings)
    by_level = table["text"].str.len().groupby(levels.to_cefr(table["level"], settings.levels))
    counts = by_level.agg(["size", "mean"]).itertuples()
    return {level: (int(n), TOKENS_PER_CHARACTER * mean) for level, n, mean in counts if level in TEXTS}


def model(settings, masks, machine, rate, lengths, models=None, evaluation_rate=None):
    """What one model with all its seeds will need, before anything is made.

    settings, masks, machine: Train, Masks and Machine parameters; rate: FLOP/s of one device in training; lengths: of
    `lengths`; models: {name: Train parameters} of the study; evaluation_rate: if it is another. Returns parameters,
    tokens (of one seed), train_hours, evaluate_hours, hours (both), memory_gb and least_memory_gb (of one device, for
    a step and for one longest example), host_gb, disk_gb. Early stopping may end sooner; communication between devices
    is not counted.
    """
    from lib.masking.frozen_masks import MAX_VALIDATION_TEXTS  # here, as torch above

    size = planned_size(settings, masks, models or {})
    n = size.parameters
    training_texts = [lengths[level] for level in settings.levels if level in lengths]
    n_texts = sum(count for count, _ in training_texts)
    mean_tokens = sum(count * tokens for count, tokens in training_texts) / max(n_texts, 1)
    n_evaluations = settings.max_examples // settings.eval_every + 1
    validation_tokens = n_evaluations * mean_tokens * min(MAX_VALIDATION_TEXTS, n_texts / 10)
    step_tokens = mean_tokens * settings.examples_per_step / settings.devices
    tokens = mean_tokens * settings.max_examples
    n_snapshots = len(settings.snapshot_at)
    seed = _estimate(size, tokens, validation_tokens, step_tokens, n_snapshots, machine.device, rate)
    test_tokens = sum(count * mean for count, mean in lengths.values()) / 10
    scored_tokens = test_tokens * (masks.frozen_masks_per_text + 5)  # the mix, four span types and validation
    n_seeds = len(settings.seeds)
    train_hours = n_seeds * seed["hours"] / settings.devices
    evaluate_hours = n_seeds * (
        2 * n * scored_tokens / (evaluation_rate or rate) / EVALUATION_REACHED[machine.device] / 3600
    )
    host_model_gb = TRAINING_BYTES * n / 1e9 if machine.device == "cuda" else seed["memory_gb"]
    return {
        "parameters": n,
        "tokens": tokens,
        "memory_gb": seed["memory_gb"],
        "least_memory_gb": training_memory(size, masks.max_length, machine.device),
        "host_gb": HOST_GB + host_model_gb,
        "disk_gb": seed["disk_gb"] + (n_seeds - 1) * 4 * n / 1e9,
        "train_hours": train_hours,
        "evaluate_hours": evaluate_hours,
        "hours": train_hours + evaluate_hours,
    }


def minutes(hours, machine):
    """Minutes to request from a cluster for a job: half as much again, and at most what one job may have."""
    return min(int(OVERHEAD_MINUTES + 5 + 60 * 1.5 * hours), int(60 * machine.max_hours))
