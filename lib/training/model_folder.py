"""The folder that a training leaves: weights, tokenizer, model card, curve, and what was seen in which order."""

import shutil
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from lib.experiment.files import atomic_folder, read_json, write_json, write_table
from lib.training import checkpoints
from lib.training.dataset import last_step

LONGEST = 96  # tokens that `generate` writes unless told otherwise: four blanks, as the card counts them


def snapshot_files(folder, settings):
    """{level: weights} that snapshot_at asks for, files among the checkpoints of a finished training in `folder`."""
    return {level: checkpoints.kept(folder, last_step(settings, n)) for level, n in settings.snapshot_at.items()}


def save_model(folder, model, tokenizer, steps, curve, facts, clock, kept):
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
        save_portable(model, tokenizer, temporary)
        for level, weights in kept.items():
            shutil.copy(weights, temporary / f"kept_{level}.safetensors")
        write_table(curve, temporary / "curve.csv")
        write_table(steps.table(seen), temporary / "order.parquet")
        card(facts).save(temporary / "README.md")
        write_json(clock, temporary / "clock.json")
        write_json(facts, temporary / "train.json")


def save_portable(model, tokenizer, folder):
    """Save both so that transformers' pipeline reads them, fills batches and stops, also where transformers is 4.57."""
    pad = tokenizer.pad_token or tokenizer.eos_token
    model.generation_config.update(max_new_tokens=LONGEST, pad_token_id=tokenizer.convert_tokens_to_ids(pad))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    told = read_json(folder / "tokenizer_config.json")
    told |= {"pad_token": pad, "padding_side": "left"}
    told["model_max_length"] = model.config.max_position_embeddings
    if told["tokenizer_class"] == "TokenizersBackend":
        told["tokenizer_class"] = "PreTrainedTokenizerFast"  # its name before transformers 5, which knows both
    write_json(told, folder / "tokenizer_config.json")


def card(facts):
    """The ModelCard of a model. facts: what train.json holds."""
    looked = EvalResult(
        task_type="text-generation",
        task_name="filling blanks",
        dataset_type="learner-corpus",
        dataset_name=f"frozen blanks in valid texts of the model's own levels (split {facts['split_id']})",
        metric_type="perplexity",
        metric_value=float(f"{facts['valid_perplexity']:.4g}"),
    )
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-generation",
        language="en",
        license="other",
        license_name="as-the-corpus",
        tags=["infilling", "learner-english", "cefr"],
        model_name=facts["model"],
        eval_results=[looked],
    )
    return ModelCard.from_template(data, Path(__file__).with_name("model_card.md"), **facts)
