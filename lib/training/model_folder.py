"""The folder of a trained model: weights, tokenizer, model card, curve, and the order in which examples were read."""

import shutil
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from lib.experiment.files import atomic_folder, read_json, write_json, write_table
from lib.training import checkpoints
from lib.training.dataset import last_step

MAX_NEW_TOKENS = 96  # default length of `generate`: four blanks of 24 tokens, as in the model card


def snapshot_files(folder, settings):
    """{level: file of weights} for snapshot_at. folder: of the checkpoints of a finished training."""
    budgets = settings.snapshot_at.items()
    return {level: checkpoints.snapshot_weights(folder, last_step(settings, n)) for level, n in budgets}


def save_model(folder, model, tokenizer, steps, curve, facts, clock, snapshots, scores=None):
    """Write the model folder: weights, tokenizer and card as Hugging Face reads them, curve, order, and train.json.

    facts: what train.json is to hold besides sizes and counts; it is written last, so the folder is complete if it is
    there. clock: what differs in every run, for clock.json; snapshots: {level: file of weights}, copied to
    kept_<level>.safetensors; scores: of `checkpoints.read_scores`, for valid_scores.parquet, if there are any.
    order.parquet lists the examples seen, without those after early stopping.
    """
    n_seen = int(curve["examples"].iloc[-1])
    facts = facts | {
        "parameters_total": sum(p.numel() for p in model.parameters()),
        "megabytes": round(sum(p.numel() * p.element_size() for p in model.parameters()) / 1e6, 1),
        "examples_seen": n_seen,
        "examples_dropped": steps.dropped,
        "tokens_seen": steps.tokens(n_seen),
    }
    with atomic_folder(folder, last="train.json") as temporary:
        save_portable(model, tokenizer, temporary)
        for level, weights in snapshots.items():
            shutil.copy(weights, temporary / f"kept_{level}.safetensors")
        write_table(curve, temporary / "curve.csv")
        write_table(steps.table(n_seen), temporary / "order.parquet")
        if scores is not None:
            write_table(scores, temporary / "valid_scores.parquet")
        card(facts).save(temporary / "README.md")
        write_json(clock, temporary / "clock.json")
        write_json(facts, temporary / "train.json")


def save_portable(model, tokenizer, folder):
    """Save both so that transformers' pipeline can load them, pad batches and stop, also with transformers 4.57."""
    pad = tokenizer.pad_token or tokenizer.eos_token
    model.generation_config.update(max_new_tokens=MAX_NEW_TOKENS, pad_token_id=tokenizer.convert_tokens_to_ids(pad))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = read_json(folder / "tokenizer_config.json")
    config |= {"pad_token": pad, "padding_side": "left", "model_max_length": model.config.max_position_embeddings}
    if config["tokenizer_class"] == "TokenizersBackend":
        config["tokenizer_class"] = "PreTrainedTokenizerFast"  # its name before transformers 5, which knows both names
    write_json(config, folder / "tokenizer_config.json")


def card(facts):
    """The ModelCard of a model. facts: the content of train.json."""
    evaluation = EvalResult(
        task_type="text-generation",
        task_name="filling blanks",
        dataset_type="learner-corpus",
        dataset_name=f"frozen blanks in validation texts of the model's levels (split {facts['split_id']})",
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
        eval_results=[evaluation],
    )
    return ModelCard.from_template(data, Path(__file__).with_name("model_card.md"), **facts)
