"""Texts of another corpus than the models', made comparable as notebooks 01 and 02 do, and scored by the models."""

from pathlib import Path

import pandas as pd

from lib.corpus import reading, split
from lib.corpus.cleaning import clean_texts, fold_case_and_space
from lib.errors import CorpusError, ParameterError
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.identification import baselines, text_scores
from lib.masking import frozen_masks, token_index, tokenization
from lib.models import loading


def read_texts(files, params, known, levels, text_column, most, seed):
    """(texts, {reason: texts left out}) of another corpus: a frame text_id, learner_id, level, text.

    params: a folder whose corpus.yaml names the columns and levels of these files; known: texts (text, split) of the
    models' own corpus, whose repetitions are left out; levels: those that can be identified; text_column: the one that
    the models were trained on; most: texts of a level at most. Raises CorpusError, ParameterError.
    """
    file = Path(params) / "corpus.yaml"
    if not file.exists():
        raise ParameterError(f"There is no {file}. Expected: PARAMS=folder with a corpus.yaml, such as params/demo.")
    settings = parameters.load_file(file).model_copy(update={"text_column": text_column})
    table, sources = reading.read_corpus(files, settings)
    texts, dropped = clean_texts(table, settings.levels, sources)
    reasons = {
        "level without models": ~texts["level"].isin(levels),
        "in the models' own corpus, or copied from it": repeats(texts, known, settings.copied_share),
    }
    for reason, left_out in reasons.items():
        remaining = texts[~left_out.reindex(texts.index)]
        dropped[reason] = len(texts) - len(remaining)
        texts = remaining
    kept = baselines.sample_per_level(texts, most, seed)
    dropped[f"more than {most:,} texts of the level, drawn at random"] = len(texts) - len(kept)
    if kept.empty:
        raise CorpusError(
            f"No text is left to identify: {'; '.join(f'{n:,} {reason}' for reason, n in dropped.items() if n)}. "
            f"Expected: texts of {', '.join(levels)}. Do `columns:` and `levels:` of {file} fit this corpus?"
        )
    columns = ["text_id", "learner_id", "level", "text"]
    return kept[columns].reset_index(drop=True), {reason: n for reason, n in dropped.items() if n}


def repeats(texts, known, copied_share):
    """True for texts that the models' corpus has, too, or that share so many of their 8-grams with its texts."""
    same = fold_case_and_space(texts["text"]).isin(fold_case_and_space(known["text"]))
    both = pd.concat([known[["text"]].assign(split="train"), texts[["text"]].assign(split="test")], ignore_index=True)
    copied = split.flag_copied(both, copied_share).iloc[len(known) :]
    return same | pd.Series(copied.to_numpy(bool), texts.index)


def masked_examples(texts, tokenizer, first_special, mask_settings):
    """(keys, tokens, roles) of the texts' masks of the training mix, drawn as 02 draws those of test texts.

    Texts that are too long for the models, or too short for a mask, have none.
    """
    index = token_index.build_index(texts, tokenizer, mask_settings.splitter, mask_settings.max_length)
    drawn = frozen_masks.draw_frozen(index, mask_settings, "training_mix", mask_settings.frozen_masks_per_text)
    return scoring.frozen_examples(index, drawn, first_special)


def score(run, texts, kinds, progress=iter):
    """{kind: {seed: texts x levels of ln perplexity}} of texts with a mask, by all models; kinds: as trained_models.

    progress: of the models' runs, a list of (kind, level, model, seed).
    """
    tokenizer, first_special = tokenization.load_run_tokenizer(run)
    keys, tokens, roles = masked_examples(texts, tokenizer, first_special, run.mask_settings())
    columns = {}
    runs = [(kind, level, model, seed) for kind, (models, seeds, _) in kinds.items() for level, model in models.items()
            for seed in seeds]  # fmt: skip
    for kind, level, model, seed in progress(runs):
        network = loading.load_model(run.require(run.model(model, seed), "03_train"))
        scores = scoring.score(network, keys, tokens, roles)
        columns.setdefault(kind, {}).setdefault(seed, {})[level] = text_scores.log_perplexity(scores)
    return {kind: {seed: pd.DataFrame(levels) for seed, levels in seeds.items()} for kind, seeds in columns.items()}
