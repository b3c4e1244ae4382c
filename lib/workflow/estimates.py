"""What a training will need, told before it starts: hours from a machine's speed, memory and disk from counts."""

import time
from pathlib import Path

from lib.corpus.efcamdat import CHARACTERS, TEXTS
from lib.formatting import format_gigabytes, format_hours
from lib.models import loading

# share of the matrix rate that training reaches: bench/records/cpu.json; on a GPU an aim, not measured
REACHED = {"cpu": 0.65, "cuda": 0.38}
SCORED = {"cpu": 0.65, "cuda": 0.026}  # evaluation's, in float32: an H100's is 67 of 989 TFLOP/s, by its data sheet
STATE = 16  # bytes a parameter in training: weight, gradient, two of Adam's
SAVED = 12  # bytes a parameter in a checkpoint: newest, one before, best, and one being written; 4 in the model
AT_REST = 0.7  # GB of a kernel with torch and transformers loaded
KEPT_BY_LAYER = 20  # numbers of the model's width that backward needs, for each token in each layer
LOGITS = {"cpu": 8 * 256, "cuda": 10}  # bytes of logits for each word of the vocabulary: in all, and for each token
TOKENS = 81 / 333  # of an example, special ones included, for each character of its text: GPT-2's tokenizer
SPECIAL = 6  # tokens that an example has more than its text: a separator, and two for each of 2.5 blanks
HOST = 6  # GB of a job's own memory beside its model: the index of a large corpus, and who assembles steps
ALONE = 2  # minutes of a job beside its training: start, reading, drawing


def matrix_rate(device):
    """FLOP/s of matrix products here: float32 on a CPU with the threads torch uses, bfloat16 on a GPU."""
    import torch  # here, since the graph plans too and does without

    kind, size = (torch.bfloat16, 8192) if device == "cuda" else (torch.float32, 768)
    a, b = torch.randn(2, size, size, device=device, dtype=kind)
    (a @ b).sum().item()  # waits, and wakes what sleeps
    start = time.perf_counter()
    for _ in range(8):
        c = a @ b
    c.sum().item()
    return 8 * 2 * size**3 / (time.perf_counter() - start)


def estimate(model, steps, look_tokens, n_looks, device, rate):
    """What one seed will need, by estimate: hours, memory_gb (of the GPU where there is one), disk_gb while training.

    model: before its first step; steps: `Steps`; look_tokens: tokens of a look at the valid loss, n_looks: how many
    looks; rate: FLOP/s, `matrix_rate`.
    """
    config, n = model.config, sum(p.numel() for p in model.parameters())
    sizes = config.num_hidden_layers, config.hidden_size, config.vocab_size, loading.max_positions(config)
    step_tokens, kept = steps.lengths.sum() / max(1, len(steps)), len(steps.settings.snapshot_at)
    return _estimate(n, sizes, int(steps.lengths.sum()), look_tokens * n_looks, step_tokens, kept, device, rate)


def describe(one, settings, free):
    """What a training will need as a sentence. one: of `needs`; settings: Train parameters; free: GB of the disk."""
    time = f"about {format_hours(one['hours'] / settings.devices)} a seed, {len(settings.seeds)} seeds"
    memory, disk, room = map(format_gigabytes, (one["memory_gb"], one["disk_gb"], free))
    return f"{time}; {memory} of memory, {disk} of disk, {room} free"


def _estimate(n, sizes, tokens, look_tokens, step_tokens, kept_at, device, rate):
    """A token costs 6 FLOP a parameter forth and back, 2 forth (Kaplan et al. 2020); positions cost nothing."""
    layers, width, vocabulary, positions = sizes
    flop = (n - positions * width) * (6 * tokens + 2 * look_tokens)
    kept = step_tokens * layers * KEPT_BY_LAYER * (2 if device == "cuda" else 4) * width
    logits = vocabulary * LOGITS[device] * (step_tokens if device == "cuda" else 1)
    memory = (STATE * n + kept + logits) / 1e9 + AT_REST
    disk = (4 * SAVED + 4 + 8 * kept_at) * n / 1e9  # kept weights: there and in the model
    return {"hours": flop / rate / REACHED[device] / 3600, "memory_gb": memory, "disk_gb": disk}


def lengths(home=None):
    """{level: (texts, tokens of a mean example)}: of the run in home once 02 has indexed its texts, else EFCAMDAT's."""
    if home is None or not (Path(home) / "masks/index.parquet").exists():
        return {level: (n, TOKENS * CHARACTERS[level]) for level, n in TEXTS.items()}
    import pandas as pd  # as torch

    from lib.masking import token_index

    texts = pd.read_parquet(Path(home) / "corpus/texts.parquet", columns=["text_id", "level"])
    ids = token_index.read_index(Path(home) / "masks/index.parquet")[["text_id", "ids"]]
    one = texts.merge(ids.assign(tokens=ids["ids"].list.len() + SPECIAL), on="text_id").groupby("level")["tokens"]
    return {level: (len(tokens), float(tokens.mean())) for level, tokens in one}


def counted(files, settings):
    """`lengths` of a corpus that no run has indexed yet: its texts by level, tokens by letters as GPT-2's tokenizer has
    them. files: paths; settings: a `schemas.Corpus`. Raises corpus.CorpusError for what cannot be read."""
    from lib.corpus import levels, reading  # as torch

    table, _ = reading.read_corpus(files, settings)
    letters = table["text"].str.len().groupby(levels.to_cefr(table["level"], settings.levels)).agg(["size", "mean"])
    return {level: (int(n), TOKENS * mean) for level, n, mean in letters.itertuples() if level in TEXTS}


def model(settings, drawing, machine, rate, known):
    """What one model with all its seeds will need, before anything is made.

    settings, drawing, machine: Train, Masks and Machine parameters; rate: FLOP/s of one device; known: `lengths`.
    Returns parameters, tokens (of one seed), train_hours, evaluate_hours, hours (both), memory_gb (of one device),
    host_gb, disk_gb. Sizes are those of the parameter file. Early stopping may end sooner; what devices tell each
    other is not counted.
    """
    from lib.masking.frozen_masks import MAX_VALIDATION_TEXTS  # as torch

    sizes = settings.n_layer, settings.n_embd, drawing.vocabulary_size + 7, drawing.max_length
    n = sum(sizes[2:]) * sizes[1] + sizes[0] * (12 * sizes[1] ** 2 + 13 * sizes[1]) + 2 * sizes[1]
    own = [known[level] for level in settings.levels if level in known]
    mean = sum(n_texts * tokens for n_texts, tokens in own) / max(sum(n_texts for n_texts, _ in own), 1)
    looks = settings.max_examples // settings.eval_every + 1
    look_tokens = looks * mean * min(MAX_VALIDATION_TEXTS, sum(n_texts for n_texts, _ in own) / 10)
    step_tokens = mean * settings.examples_per_step / settings.devices
    tokens, kept = mean * settings.max_examples, len(settings.snapshot_at)
    found = _estimate(n, sizes, tokens, look_tokens, step_tokens, kept, machine.device, rate)
    asked = (
        sum(n_texts * tokens for n_texts, tokens in known.values()) / 10 * (drawing.frozen_masks_per_text + 5)
    )  # 4 types, valid
    seeds, scored = len(settings.seeds), 2 * n * asked / rate / SCORED[machine.device] / 3600
    hours = {"train_hours": seeds * found["hours"] / settings.devices, "evaluate_hours": seeds * scored}
    disk = found["disk_gb"] + (seeds - 1) * 4 * n / 1e9
    host = HOST + (STATE * n / 1e9 if machine.device == "cuda" else found["memory_gb"])
    size = {"parameters": n, "tokens": tokens}
    size |= {"memory_gb": found["memory_gb"], "host_gb": host, "disk_gb": disk}
    return size | hours | {"hours": sum(hours.values())}


def minutes(hours, machine):
    """What a job of so many hours asks of a cluster: half as much again, and no more than one job may take."""
    return min(int(ALONE + 5 + 60 * 1.5 * hours), int(60 * machine.max_hours))
