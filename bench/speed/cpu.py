"""What each part of the study costs beside upstream ILM's own code, or its way of doing it, in one run on this machine.

    git clone https://github.com/chrisdonahue/ilm /somewhere/ilm
    .venv/bin/python -m nltk.downloader punkt_tab
    .venv/bin/python bench/speed/cpu.py /somewhere/ilm [part ...] [--rounds N]

Parts are named in PARTS. Each round runs theirs, then ours, on the same texts; the ratio is of the medians, with its
least and greatest value over rounds. Texts have the lengths of EFCAMDAT's and made-up words. The record is
bench/records/cpu.json; what is not asked for keeps its place in it. Torch computes with one thread on both sides.
"""

import argparse
import copy
import itertools
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import chi2_contingency, ks_2samp
from transformers.activations import ACT2FN

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from bench.speed import upstream
from bench.speed.size import corpus, watched
from bench.speed.upstream import ACCUMULATION, BATCH, LENGTH, Upstream, align
from lib.evaluation import scoring
from lib.experiment import manifest, parameters
from lib.experiment.files import read_json, write_json, write_table
from lib.experiment.folders import Experiment
from lib.infilling import decoding
from lib.masking import frozen_masks, masks, segmentation, token_index, tokenization
from lib.masking.examples import SPECIALS, assemble, build_example, example_lengths
from lib.masking.token_index import TokenizedTexts
from lib.models import initialization, packing
from lib.training.dataset import Steps

RECORD = Path(__file__).parents[1] / "records/cpu.json"
SMALL = parameters.load_file("params/demo/general.yaml")  # 1 layer of 96 numbers
MIDDLE = SMALL.model_copy(update={"n_layer": 4, "n_head": 4, "n_embd": 256})
N_TRAINING = 578_625  # 80 % of EFCAMDAT's 723,282 texts
WORKERS = 4  # processes in which upstream aligns masks with tokens, its default
DRAWING = parameters.load_file("params/efcamdat/masks.yaml")


def ratio(n, theirs, ours, times=1):
    """Seconds of both for the same work, n times in turn, and how many times faster ours is.

    times: how often `ours` does what `theirs` does once, where once would be too short to time.
    """
    seconds = {"theirs": [], "ours": []}
    for _ in range(n):
        for side, run, often in [("theirs", theirs, 1), ("ours", ours, times)]:
            start = time.perf_counter()
            run()
            seconds[side].append((time.perf_counter() - start) / often)
    each = [a / b for a, b in zip(*seconds.values())]
    return {side: spread(took) for side, took in seconds.items()} | {"ratio": spread(each)}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def once(n):
    """Texts of EFCAMDAT's lengths."""
    return corpus(max(n, 3000))["text"].sample(n, random_state=0).tolist()


def frame(texts):
    return pd.DataFrame({"text_id": range(len(texts)), "text": texts})


def indexed(table, up, processes=1):
    index = token_index.build_index(table, up.gpt2, "rules", 1024, processes=processes)
    return TokenizedTexts.of(index), masks.text_keys(index["text_id"])


def one_pass(index, first, number):
    """All masks of one training pass over the index and their examples; returns how many those are."""
    flat, keys = index
    drawn = masks.draw(flat, keys, DRAWING, 0, masks.TRAINING, number, DRAWING.masks_per_text)
    length = example_lengths(flat, *drawn)
    (fits,) = np.nonzero(length > 0)
    assemble(flat, drawn, fits, length[fits], first)
    return len(fits)


def sampling(up, n):
    """Masks alone, on one core: both sides know already where words and sentences stand."""
    texts = once(100)  # upstream remembers the offsets of its last 128 texts
    flat, keys = indexed(frame(texts), up)
    repeats = 50

    def ours():
        for number in range(repeats):
            masks.draw(flat, keys, DRAWING, 0, masks.TRAINING, number, DRAWING.masks_per_text)

    up.masks(texts), ours()
    return ratio(n, lambda: up.masks(texts), ours, times=repeats)


def first_pass(up, n):
    """All work before the first step, wall time with the processes each side takes."""
    texts = once(4000)
    table = frame(texts)
    indexed(table.head(100), up)  # NLTK is imported and our walk compiled, which happens once a machine

    def theirs():
        up.forget()
        masked = up.masks(texts)
        with multiprocessing.Pool(WORKERS) as pool:
            rows = list(pool.imap(align, masked))
        np.concatenate([inputs for inputs, _ in rows]), np.concatenate([roles for _, roles in rows])

    def ours():
        segmentation._piece.cache_clear()
        one_pass(indexed(table, up, os.cpu_count()), up.first, 0)

    return ratio(n, theirs, ours) | {"texts": len(texts)}


def later_pass(up, n):
    """Every further pass on one core: masks drawn anew and their examples built."""
    texts = once(400)
    index = indexed(frame(texts), up)
    made, repeats = one_pass(index, up.first, 1), 20

    def theirs():
        up.forget()
        for masked in up.masks(texts):
            up.examples_of(masked)

    found = ratio(n, theirs, lambda: [one_pass(index, up.first, 2 + i) for i in range(repeats)], times=repeats)
    return found | {"examples_per_second": made / found["ours"]["median"]}


def trained(settings, tokenizer, index):
    """Two equal models, their optimisers, and the order of training."""
    settings = settings.model_copy(update={"examples_per_step": BATCH * ACCUMULATION})
    steps = Steps(index, DRAWING, settings, 0, tokenizer.convert_tokens_to_ids(SPECIALS[0]))
    models = [initialization.initial_model(settings, tokenizer, DRAWING.max_length).train() for _ in range(2)]
    models[0].set_attn_implementation("eager")  # all there was in upstream's transformers
    for block in models[0].transformer.h:
        block.mlp.act = ACT2FN["gelu_new"]
    how = {"lr": 5e-5, "weight_decay": 0.0}
    adam = [torch.optim.AdamW(models[i].parameters(), foreach=False, fused=bool(i), **how) for i in range(2)]
    return steps, *models, *adam


def stepping(settings, tokenizer, texts, n, batches=ACCUMULATION, bfloat16=False):
    """Examples a second of training, ours with all it does between two steps; theirs has its batches at hand."""
    table = frame(once(texts))
    tokenizer = tokenizer or tokenization.make_tokenizer("bpe", table["text"], 1017)
    index = token_index.build_index(table, tokenizer, "rules", DRAWING.max_length)
    settings = settings.model_copy(update={"init_from": "scratch", "max_examples": (n + 1) * BATCH * batches})
    steps, theirs, ours, their_adam, our_adam = trained(settings, tokenizer, index)
    steps.settings = steps.settings.model_copy(update={"examples_per_step": BATCH * batches})
    turn = {"theirs": 0, "ours": 0}

    def their_step():
        first = turn["theirs"] * BATCH * batches
        turn["theirs"] += 1
        upstream.step(theirs, their_adam, *padded[first])

    def our_step():
        with packing.packed_attention(ours):
            packing.chunked_loss(ours, packing.to_tensors(steps[turn["ours"]]), bfloat16).backward()
        torch.nn.utils.clip_grad_norm_(ours.parameters(), 1.0)
        our_adam.step()
        our_adam.zero_grad()
        turn["ours"] += 1

    firsts = range(0, (n + 1) * BATCH * batches, BATCH * batches)
    padded = {first: upstream.padded(*steps.examples(first, first + BATCH * batches)) for first in firsts}
    their_step(), our_step()
    found = ratio(n, their_step, our_step)
    real = steps.lengths[BATCH * batches :]
    facts = {"tokens_an_example": real.mean(), "cut_by_upstream": float((real > upstream.LENGTH).mean())}
    kept = {"theirs": np.minimum(real, upstream.LENGTH).sum(), "ours": real.sum()}
    speed = {side: float(kept[side] / n / found[side]["median"]) for side in kept}
    return found | facts | {"real_tokens_per_second": speed, "parameters": sum(p.numel() for p in ours.parameters())}


def training_small(up, n):
    """The demo's model, with GPT-2's vocabulary on both sides."""
    return stepping(SMALL, up.gpt2, 3000, n)


def training_middle(up, n):
    """A model of 4 layers of 256 numbers, with GPT-2's vocabulary on both sides."""
    return stepping(MIDDLE, up.gpt2, 3000, n)


def training_demo(up, n):
    """The demo's model with the demo's vocabulary of 1,024 on both sides."""
    return stepping(SMALL, None, 3000, 8 * n)


def training_124m(up, n):
    """GPT-2's own size; one batch of 8 examples a step, since a step of theirs takes half a minute."""
    return stepping(parameters.load_file("params/efcamdat/general.yaml"), up.gpt2, 3000, min(n, 3), batches=1)


def training_124m_bfloat16(up, n):
    """The same with our matrix products in bfloat16: only for a processor that has it."""
    settings = parameters.load_file("params/efcamdat/general.yaml")
    return stepping(settings, up.gpt2, 3000, min(n, 3), batches=1, bfloat16=True)


def asked(up, texts, size):
    """A model and the frozen masks of some texts, all span types, with the texts' examples."""
    table = frame(once(texts))
    index = token_index.build_index(table, up.gpt2, "rules", DRAWING.max_length)
    model = initialization.initial_model(size, up.gpt2, DRAWING.max_length).eval()
    sets = {"training_mix": DRAWING.frozen_masks_per_text, "word": 1, "ngram": 1, "sentence": 1, "document": 1}
    frozen = pd.concat([frozen_masks.draw_frozen(index, DRAWING, kind, n) for kind, n in sets.items()])
    return model, scoring.frozen_examples(index, frozen, up.first)


def evaluation(up, n):
    """All span types of one model: upstream once for each, over padded batches; ours in one pass, sums by text."""
    model, (keys, tokens, roles) = asked(up, 12, MIDDLE)
    kinds = [np.flatnonzero(keys["mask_type"] == kind) for kind in keys["mask_type"].unique()]
    rows = [upstream.padded([tokens[i] for i in own], [roles[i] for i in own]) for own in kinds]
    theirs = copy.deepcopy(model)
    theirs.set_attn_implementation("eager")
    for block in theirs.transformer.h:
        block.mlp.act = ACT2FN["gelu_new"]
    return ratio(n, lambda: [upstream.evaluate(theirs, *both) for both in rows],
                 lambda: scoring.score(model, keys, tokens, roles)) | {"masked_texts": len(keys)}  # fmt: skip


def sure(model, first, rng):
    """Let an untrained model guess as the demo's do: 9 tokens a blank with its end, the others falling by rank^-1.5.

    Its last normalisation gives (1, 0, 0, ...) whatever it has read, and the output layer's first column is the law.
    """
    law = -1.5 * np.log(1 + rng.permutation(model.config.vocab_size))
    law[first + 1] = np.log(np.exp(law).sum() / 8)
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.zero_()[0] = 1
        model.get_output_embeddings().weight[:, 0] = torch.tensor(law)
    return model


def infilling_of(up, n, contexts, times, size):
    """Blanks filled by sampling from a nucleus of .95, `times` times for each context."""
    model, (keys, tokens, roles) = asked(up, max(contexts, 20), size)
    sure(model, up.first, np.random.default_rng(0))
    chosen = np.flatnonzero((keys["mask_type"] == "training_mix") & (keys["mask_set"] == 0))
    if contexts == 1:  # one of the usual length
        chosen = sorted(chosen, key=lambda i: abs(len(decoding.build_prompt(tokens[i], roles[i])) - 74))[:1]
    prompts = [decoding.build_prompt(tokens[i], roles[i]) for i in chosen]
    blanks = [decoding.count_blanks(roles[i]) for i in chosen]
    ids = {token: up.first + i for i, token in enumerate(SPECIALS)}
    draws = max(1, 128 // (len(chosen) * times))  # so that both sides write about equally much
    seeds = itertools.count()

    def ours():
        for _ in range(draws):
            decoding.sample_infills(model, up.gpt2, prompts, blanks, top_p=0.95, seed=next(seeds), n_samples=times)

    def theirs():
        for _ in range(draws):
            [up.infer.infill_with_ilm(model, ids, one.tolist(), times) for one in prompts]

    return ratio(n, theirs, ours) | {
        "contexts": len(prompts), "fillings": times, "draws": draws, "blanks": int(sum(blanks)),
        "tokens_a_prompt": float(np.mean([len(one) for one in prompts])),
    }  # fmt: skip


def infilling_one(up, n):
    """16 fillings of one context, by the demo's model with GPT-2's vocabulary."""
    return infilling_of(up, n, 1, 16, SMALL)


def infilling_many(up, n):
    """One filling of 64 contexts, which upstream takes one by one; the same model."""
    return infilling_of(up, n, 64, 1, SMALL)


def infilling_one_middle(up, n):
    """16 fillings of one context, by a model of 4 layers of 256 numbers."""
    return infilling_of(up, n, 1, 16, MIDDLE)


def infilling_many_middle(up, n):
    """One filling of 64 contexts by that model."""
    return infilling_of(up, n, 64, 1, MIDDLE)


def prepared(up, n):
    """Notebook 02 on as many texts as EFCAMDAT has for training: index, frozen masks, a pass drawn. Once."""
    run, made = Experiment("bench-prepared", root="."), corpus(N_TRAINING)
    parts = np.random.default_rng(0).choice(["train", "valid", "test"], len(made), p=[0.8, 0.1, 0.1])
    texts = pd.DataFrame({"text_id": made["writing_id"], "level": made["cefr"], "split": parts, "text": made["text"]})
    write_table(texts, run.texts)
    write_json({"split_id": "bench"}, run.report)
    manifest.write_manifest(run.report.parent, manifest.place(run.report.parent, run.folder), "01_extract", {}, {}, {})
    up.gpt2.save_pretrained(run.folder / "gpt2")
    command = [sys.executable, "-m", "papermill", "notebooks/02_mask.ipynb", str(run.folder / "02.ipynb"),
               "--cwd", "notebooks", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR",
               "-f", "params/efcamdat/masks.yaml", "-r", "experiment", run.name,
               "-r", "tokenizer", str(Path("..") / run.folder / "gpt2")]  # fmt: skip
    found = watched(command) | {"texts": len(texts)}
    for folder in (run.folder, run.figures):
        shutil.rmtree(folder, ignore_errors=True)
    return found


def equal(up, n):
    """No speed: are offsets, masks, examples and evaluation what upstream's own code makes of the same texts?

    Texts come from the file named in $TEXTS (a CSV with a column text; learners' texts show most), else made-up ones.
    """
    file = os.environ.get("TEXTS")
    texts = pd.read_csv(file, dtype=str)["text"].iloc[:600].tolist() if file else once(600)
    index = token_index.build_index(frame(texts), up.gpt2, "punkt", 10_000)
    flat_texts, keys = TokenizedTexts.of(index), masks.text_keys(index["text_id"])
    found = {"texts": len(texts)} | same_offsets(up, texts) | same_examples(up, texts, flat_texts)
    drawn = masks.draw(flat_texts, keys, DRAWING, 0, masks.TRAINING, 0, DRAWING.masks_per_text)
    spans = [span for _, own in up.masks(texts) for mask in own for span in mask]
    theirs = pd.DataFrame([(kind.value, length) for kind, _, length in spans])
    ours = pd.DataFrame(drawn[0][:, [0, 2]])
    counts = np.array([np.bincount(one[0], minlength=5) for one in (theirs, ours)])
    same = {"span_types_chi2_p": float(chi2_contingency(counts[:, counts.sum(0) > 0]).pvalue)}
    for kind in np.flatnonzero(counts.all(0)):
        lengths_of = [one.loc[one[0] == kind, 1] for one in (theirs, ours)]
        same[f"{masks.TYPES[kind]}_lengths_ks_p"] = float(ks_2samp(*lengths_of).pvalue)
    hidden = 16 * sum(map(len, texts)) / 100
    same |= {"characters_hidden_pct": {"theirs": theirs[1].sum() / hidden, "ours": ours[1].sum() / hidden}}
    same["shares_pct"] = (100 * counts / counts.sum(1, keepdims=True)).round(2).tolist()
    return found | same | same_sums(up)


def same_offsets(up, texts):
    """With one sentence splitter: texts whose units are the same, and texts upstream refuses."""
    result = {"offsets_equal": 0, "offsets_different": 0, "offsets_refused_by_upstream": 0}
    for text in texts:
        try:
            at, length, paragraphs = up.strings.doc_to_hierarchical_offsets(text)
        except ValueError:
            result["offsets_refused_by_upstream"] += 1
            continue
        rows = [[0, at, length]]
        for at, length, sentences in paragraphs:
            rows.append([1, at, length])
            for at, length, words in sentences:
                rows += [[2, at, length], *([4, *word] for word in words)]
        equals = rows == segmentation.segment(text, "punkt").tolist()
        result["offsets_equal" if equals else "offsets_different"] += 1
    return result


def same_examples(up, texts, flat_texts):
    """Upstream's own masks given to both: examples equal token by token and role by role."""
    result = {"examples_equal": 0, "examples_different": 0, "examples_lost_by_upstream": 0, "of_these_built_by_ours": 0}
    for number, (text, own) in enumerate(up.masks(texts)):
        at = slice(*flat_texts.token_bounds[number : number + 2])
        for mask in own:
            spans = np.array([(kind.value, at, length) for kind, at, length in mask], np.int32).reshape(-1, 3)
            ours = build_example(flat_texts.ids[at], flat_texts.starts[at], flat_texts.ends[at], spans, up.first)
            inputs, roles = up.examples_of((text, [mask]), length=4096)
            if len(inputs) == 0:
                result["examples_lost_by_upstream"] += 1
                result["of_these_built_by_ours"] += ours is not None
                continue
            k = int((roles[0] > 0).sum())
            pairs = zip((inputs[0][:k], roles[0][:k]), ours or (None, None))
            equals = all(np.array_equal(*both) for both in pairs)
            result["examples_equal" if equals else "examples_different"] += 1
    return result


def same_sums(up):
    """Evaluation of upstream's way and ours, on examples that fit its rows: greatest difference of a mean -ln p."""
    model, (keys, tokens, roles) = asked(up, 24)
    mix = [i for i in np.flatnonzero(keys["mask_type"] == "training_mix") if len(tokens[i]) <= LENGTH]
    mix = mix[: len(mix) // BATCH * BATCH]  # upstream drops a batch that is not full
    tokens, roles = [tokens[i] for i in mix], [roles[i] for i in mix]
    theirs = upstream.evaluate(model, *upstream.padded(tokens, roles))
    ours = scoring.score(model, keys.iloc[mix], tokens, roles).sum(numeric_only=True)
    n_full = ours["n_tokens"] + ours["n_end"]
    pairs = {"infill_textonly": (ours["nll_text"], ours["n_tokens"]), "infill": (ours["nll_full"], n_full),
             "context": (ours["nll_context"], ours["n_context"])}  # fmt: skip
    assert all(theirs[tag][1] == count for tag, (_, count) in pairs.items()), "other tokens were counted"
    apart = [abs(theirs[tag][0] / theirs[tag][1] - nll / count) for tag, (nll, count) in pairs.items()]
    return {"evaluation_apart_nats": float(max(apart))}


PARTS = {part.__name__: part for part in [
    sampling, first_pass, later_pass, training_small, training_middle, training_demo, training_124m,
    training_124m_bfloat16, evaluation,
    infilling_one, infilling_many, infilling_one_middle, infilling_many_middle, equal, prepared,
]}  # fmt: skip

if __name__ == "__main__":
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("upstream", help="a checkout of github.com/chrisdonahue/ilm")
    known.add_argument("parts", nargs="*", help=", ".join(PARTS))
    known.add_argument("--rounds", type=int, default=5)
    wanted = known.parse_args()
    torch.set_num_threads(1)
    beside = Upstream(wanted.upstream)
    for part in wanted.parts or PARTS:
        found = PARTS[part](beside, wanted.rounds)
        print(part, json.dumps(found), flush=True)
        write_json((read_json(RECORD) if RECORD.exists() else {}) | {part: facts() | found}, RECORD)
