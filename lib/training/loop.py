"""One model's training: Hugging Face's Trainer with ILM's loss, and the folder it leaves."""

import functools
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments

from lib.evaluation import scoring
from lib.experiment import manifest
from lib.experiment.folders import atomic_folder, write_json, write_table
from lib.models import packing
from lib.training import checkpoints, distributed
from lib.training.dataset import last_step
from lib.training.trainer import CarefulTrainer, Progress, reporting

CURVE = ["examples", "train_loss", "valid_loss", "valid_perplexity"]


class ILMTrainer(CarefulTrainer):
    """Trainer whose step is one item of `Steps` and whose evaluation is the infill loss on frozen valid masks."""

    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        with packing.attention(model):
            loss = self.step_loss(model, inputs)
        if not loss.is_cuda and not torch.isfinite(loss):  # to look at a GPU's would make the host wait: see `log`
            self.finite(loss.item())
        return loss

    @functools.cached_property
    def step_loss(self):
        return torch.compile(packing.loss, dynamic=True) if torch.cuda.is_available() else packing.loss_by_rows

    def log(self, logs, *times):
        """Raises FloatingPointError when a loss since the last log was not finite: logging comes before saving."""
        self.finite(logs.get("loss", 0), "at or before")
        super().log(logs, *times)

    def _look(self):
        scores = scoring.score(self.model, *self.eval_dataset)
        return {"eval_infill_loss": infill_loss(scores), "eval_perplexity": perplexity(scores)}

    def evaluate(self, *_, **__):
        metrics = distributed.of_first(self._look)
        if self.state.global_step:  # a checkpoint is made of these weights next
            self.finite(metrics["eval_infill_loss"])
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def infill_loss(scores):
    """Mean -ln p of answer tokens and their end tokens: what early stopping watches."""
    return float(scores["nll_full"].sum() / (scores["n_tokens"] + scores["n_end"]).sum())


def perplexity(scores):
    return float(np.exp(scores["nll_text"].sum() / scores["n_tokens"].sum()))


def train(model, steps, valid, settings, seed, folder, label, inputs):
    """Train in place, stop early on the valid infill loss, and end with the best weights seen.

    valid: (keys, tokens, roles) as scoring.frozen_examples returns them; folder: of the checkpoints, from the newest
    sound one of which training goes on; inputs: {name: hash} of what else decides the weights. Returns (curve, how):
    curve has one row an evaluation, step 0 included: examples, train_loss, valid_loss and valid_perplexity (of answer
    tokens); how: seconds in all, resumed_at (a step or None), micro_batches. Raises FloatingPointError when a loss is
    not finite, MemoryError when not even one example fits, careful.CutOff when a signal says that the time is up, and
    what checkpoints.claim raises. A budget of 0 leaves the model as it is.
    """
    if settings.examples == 0:
        scores = scoring.score(model, *valid)
        row = {"examples": 0, "valid_loss": infill_loss(scores), "valid_perplexity": perplexity(scores)}
        return pd.DataFrame([row]).reindex(columns=CURVE), {"seconds": 0.0, "resumed_at": None, "micro_batches": 1}
    made_from = {name: value for name, value in vars(settings).items() if name not in ("seeds", "devices")}
    made_from |= {"seed": seed, "first weights": scoring.fingerprint(model)}
    made_from |= inputs | {"torch": torch.__version__} | manifest.modules("lib.training.loop", "lib.training.dataset")
    found = checkpoints.claim(folder, made_from)
    began = time.perf_counter() - (checkpoints.facts(found)["seconds"] if found else 0)
    use_cache = model.config.use_cache
    if found is None or not checkpoints.ended(found):
        task = {"settings": settings, "seed": seed, "folder": folder, "label": label, "found": found}
        task |= {"model": model, "steps": steps, "valid": valid}
        run(**task) if settings.devices == 1 else distributed.launch(settings.devices, **task)
    seconds, last = time.perf_counter() - began, checkpoints.newest(folder)
    model.config.use_cache = use_cache  # the Trainer turns it off, and would leave it so for all who use the model
    checkpoints.load_best(last, model)
    how = {"seconds": round(seconds, 1), "resumed_at": found and checkpoints.step(found)}
    table = curve(checkpoints.state(last)["log_history"], settings.examples_per_step, len(steps.order))
    return table, how | {"micro_batches": checkpoints.facts(last)["micro_batches"]}


def run(model, steps, valid, settings, seed, folder, label, found):
    """Train from `found`, a checkpoint or None, to the end: in this process, or as one of several (distributed.py)."""
    steps.share = distributed.number(), settings.devices
    trainer = _trainer(model, steps, valid, settings, seed, folder, label, resumed=found is not None)
    trainer.began = time.perf_counter() - (checkpoints.facts(found)["seconds"] if found else 0)
    if distributed.number():  # other noise for other examples
        torch.manual_seed(torch.initial_seed() + distributed.number())
    with trainer.warned():
        trainer.train(resume_from_checkpoint=found and str(found))


def _trainer(model, steps, valid, settings, seed, folder, label, resumed):
    every = settings.eval_every // settings.examples_per_step
    arguments = TrainingArguments(
        output_dir=str(folder), seed=seed, max_steps=len(steps), per_device_train_batch_size=1,
        learning_rate=settings.learning_rate, lr_scheduler_type=settings.schedule, max_grad_norm=settings.clip,
        eval_strategy="steps", eval_steps=every, eval_on_start=not resumed, save_strategy="steps", save_steps=every,
        metric_for_best_model="infill_loss", greater_is_better=False, restore_callback_states_from_checkpoint=True,
        logging_steps=every, logging_nan_inf_filter=False, remove_unused_columns=False, disable_tqdm=True,
        report_to=reporting(settings.model, seed), **packing.loading(),
    )  # fmt: skip
    stopping = EarlyStoppingCallback(settings.patience)
    trainer = ILMTrainer(
        model=model, args=arguments, train_dataset=steps, eval_dataset=valid,
        data_collator=lambda items: packing.tensors(items[0]), callbacks=[stopping, Progress(settings, label, folder)],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # it prints every log as a dict
    return trainer


def curve(log, examples_per_step, budget):
    """The Trainer's log as a table, one row an evaluation; train_loss is the mean since the row before."""
    rows = {}
    for entry in log:
        row = rows.setdefault(entry["step"], {"examples": min(entry["step"] * examples_per_step, budget)})
        names = {"loss": "train_loss", "eval_infill_loss": "valid_loss", "eval_perplexity": "valid_perplexity"}
        row.update({names[key]: value for key, value in entry.items() if key in names})
    return pd.DataFrame(rows.values()).reindex(columns=CURVE)


def outcome(curve):
    """What training came to, from its curve. The weights kept are those of the best look after the start, if any."""
    start, looks = curve.iloc[0], curve.iloc[min(1, len(curve) - 1) :]
    best = looks.loc[looks["valid_loss"].idxmin()]
    return {
        "start_loss": start["valid_loss"],
        "start_perplexity": start["valid_perplexity"],
        "valid_loss": best["valid_loss"],
        "valid_perplexity": best["valid_perplexity"],
        "best_at": int(best["examples"]),
        "stopped_at": int(looks["examples"].iloc[-1]),
    }


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
