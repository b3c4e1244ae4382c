"""What a training will need, told before it starts: hours from this machine's speed, memory and disk from counts."""

import time

import torch

from lib.flat import ROWS

# share of the matrix rate that training reaches: bench/records/cpu.json; on a GPU an aim, not measured
REACHED = {"cpu": 0.65, "cuda": 0.38}
STATE = 16  # bytes a parameter in training: weight, gradient, two of Adam's
SAVED = 12  # bytes a parameter in a checkpoint: newest, one before, best, and one being written; 4 in the model
AT_REST = 0.7  # GB of a kernel with torch and transformers loaded
KEPT_BY_LAYER = 20  # numbers of the model's width that backward needs, for each token in each layer


def matrix_rate(device):
    """FLOP/s of matrix products here: float32 on a CPU with the threads torch uses, bfloat16 on a GPU."""
    kind, size = (torch.bfloat16, 8192) if device == "cuda" else (torch.float32, 768)
    a, b = torch.randn(2, size, size, device=device, dtype=kind)
    (a @ b).sum().item()  # waits, and wakes what sleeps
    start = time.perf_counter()
    for _ in range(8):
        c = a @ b
    c.sum().item()
    return 8 * 2 * size**3 / (time.perf_counter() - start)


def needs(model, steps, look_tokens, n_looks, device, rate):
    """What one seed will need, by estimate.

    model: before its first step; steps: `Steps`; look_tokens: tokens of a look at the valid loss, n_looks: how many
    looks; rate: FLOP/s, `matrix_rate`. Returns hours, memory_gb (of the GPU where there is one) and disk_gb while
    training. A token costs 6 FLOP a parameter forth and back, 2 forth (Kaplan et al. 2020); positions cost nothing.
    """
    config, n = model.config, sum(p.numel() for p in model.parameters())
    multiplied = n - config.max_position_embeddings * config.hidden_size
    flop = multiplied * (6 * int(steps.lengths.sum()) + 2 * look_tokens * n_looks)
    tokens = steps.lengths.sum() / max(1, len(steps))  # of a step
    logits = config.vocab_size * (10 * tokens if device == "cuda" else 8 * ROWS)
    width = (2 if device == "cuda" else 4) * config.hidden_size
    kept = tokens * config.num_hidden_layers * KEPT_BY_LAYER * width
    return {
        "hours": flop / rate / REACHED[device] / 3600,
        "memory_gb": (STATE * n + kept + logits) / 1e9 + AT_REST,
        "disk_gb": (4 * SAVED + 4 + 8 * len(steps.settings.keep_at)) * n / 1e9,  # kept weights: there and in the model
    }
