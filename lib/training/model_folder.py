"""The folder that a training leaves: weights, tokenizer, model card, curve, and what was seen in which order."""

import shutil
from pathlib import Path

from lib.experiment.files import atomic_folder, write_json, write_table
from lib.training import checkpoints
from lib.training.dataset import last_step


def kept(folder, settings):
    """{level: weights} that keep_at asks for, files among the checkpoints of a finished training in `folder`."""
    return {level: checkpoints.kept(folder, last_step(settings, n)) for level, n in settings.keep_at.items()}


def save(folder, model, tokenizer, steps, curve, facts, clock, kept):
    """Leave the model folder: weights, tokenizer and card as Hugging Face reads them, curve, order, and train.json.

    clock: what differs at every run, kept apart in clock.json; kept: {level: weights}, copied to kept_<level>.
    order.parquet lists the examples seen, fewer than planned where training stopped early. facts: what train.json
    is to hold beside sizes and counts; it is written last and so vouches for the rest.
    """
    seen = int(curve["examples"].iloc[-1])
    facts = facts | {
        "parameters_total": sum(p.numel() for p in model.parameters()),
        "megabytes": round(sum(p.numel() * p.element_size() for p in model.parameters()) / 1e6, 1),
        "examples_seen": seen,
        "examples_dropped": steps.dropped,
        "tokens_seen": steps.tokens(seen),
    }
    with atomic_folder(folder, last="train.json") as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        for level, weights in kept.items():
            shutil.copy(weights, temporary / f"kept_{level}.safetensors")
        write_table(curve, temporary / "curve.csv")
        write_table(steps.table(seen), temporary / "order.parquet")
        card = (Path(__file__).parent / "model_card.md").read_text(encoding="utf-8")
        told = facts | {"levels": ", ".join(facts["levels"])}
        (temporary / "README.md").write_text(card.format(**told), encoding="utf-8")
        write_json(clock, temporary / "clock.json")
        write_json(facts, temporary / "train.json")
