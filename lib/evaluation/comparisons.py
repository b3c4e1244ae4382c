"""Which models are compared at a level, and in which groups of texts (06_compare).

A pair is (name, a, b); `contrasts.estimate` estimates its theta = ln PPL_a - ln PPL_b. Pairs to compare are
{level: list of pairs}.
"""

import numpy as np
import pandas as pd

from lib.design import CONTINUED, GENERAL, LEVELS, belongs_to, kind, specialist_of, specialists, transfer_of
from lib.evaluation import contrasts, statistics

UNIGRAM = "unigram"  # the baseline: token frequencies of a level's training texts
GENERAL_EQUAL = "general_equal"  # the general model after as many examples as the specialist has read
MIN_GROUP_LEARNERS = {True: 20, False: 100}  # by learners_known; without learner ids, texts. Smaller groups stay hidden
GROUP_CONTRASTS = ["general_vs_specialist", "general_vs_transfer"]  # estimated in every group of texts


def best_specialists(scores):
    """{level: the specialist with the lowest perplexity on its validation texts}, of levels with a specialist.

    The test texts, on which it is then compared, must not choose it. scores: of validation texts, of all models.
    """
    rows = scores[scores["model"].isin(specialists()) & ~scores["copied"].astype(bool)]
    totals = rows.groupby(["level", "model", "seed"])[["nll_text", "n_tokens"]].sum()
    log_ppl = (totals["nll_text"] / totals["n_tokens"]).groupby(["level", "model"]).mean().unstack()
    return {level: model for level, model in log_ppl.idxmin(axis=1).items() if specialist_of(level) in log_ppl}


def planned_pairs(models, best):
    """Pairs on which the hypotheses rest, by level. best: the result of `best_specialists`."""
    pairs = {}
    for level in LEVELS:
        pairs[level] = [
            ("general_vs_specialist", GENERAL, specialist_of(level)),
            ("general_vs_transfer", GENERAL, transfer_of(level)),
            ("specialist_vs_transfer", specialist_of(level), transfer_of(level)),
        ]
        if level in best:
            pairs[level].append(("general_vs_best_specialist", GENERAL, best[level]))
        if CONTINUED in models:
            pairs[level].append(("continued_vs_transfer", CONTINUED, transfer_of(level)))
    return pairs


def control_pairs(models):
    """Pairs of each control with the general model, the specialist and the transfer model, by level. A control that was
    made for one level is compared there only."""
    pairs = {level: [] for level in LEVELS}
    for level in LEVELS:
        for control in controls_at(level, models):
            pairs[level].append((f"general_vs_{control}", GENERAL, control))
            pairs[level].append((f"{control}_vs_specialist", control, specialist_of(level)))
            if control != CONTINUED:  # its pair with the transfer model is among `planned_pairs`
                pairs[level].append((f"{control}_vs_transfer", control, transfer_of(level)))
    return pairs


def controls_at(level, models):
    """The controls among models that are compared at a level, in their order."""
    return [model for model in models if kind(model) == "control" and belongs_to(model, level)]


def equal_example_pairs(best):
    """Pairs of the specialist with the general model after as many examples, by level."""
    pairs = {}
    for level in LEVELS:
        pairs[level] = [("general_vs_specialist", GENERAL_EQUAL, specialist_of(level))]
        if best.get(level) == specialist_of(level):
            pairs[level].append(("general_vs_best_specialist", GENERAL_EQUAL, specialist_of(level)))
    return pairs


def against_other_specialists(models):
    """Pairs of each level's specialist with the unigram baseline and every other specialist."""
    pairs = {}
    for level in LEVELS:
        pairs[level] = [("unigram_vs_specialist", UNIGRAM, specialist_of(level))]
        for model in models:
            if kind(model) == "specialist" and model != specialist_of(level):
                pairs[level].append((f"{model}_vs_specialist", model, specialist_of(level)))
    return pairs


def by_first_language(scores, learners_known, options):
    """GROUP_CONTRASTS for each first language, at each level and over all levels together (all_levels).

    Over all levels, each text is scored by the specialist and the transfer model of its own level. scores: on the
    training mix; options: keywords of `contrasts.estimate`. Returns its rows and l1.
    """
    scores = scores.assign(l1=scores["l1"].replace("", "unknown"))
    in_level = scores["model"].mask(scores["model"] == scores["level"].map(specialist_of), "specialist")
    in_level = in_level.mask(scores["model"] == scores["level"].map(transfer_of), "transfer")
    pooled_pairs = {
        "all_levels": [("general_vs_specialist", GENERAL, "specialist"), ("general_vs_transfer", GENERAL, "transfer")]
    }
    options = _with_group_minimum(options, learners_known)
    rows = []
    for l1, l1_scores in scores.groupby("l1"):
        by_level = statistics.learner_sums(l1_scores, learners_known=learners_known)
        pooled = statistics.learner_sums(l1_scores.assign(model=in_level), learners_known=learners_known)
        rows.append(contrasts.estimate_all(by_level, _group_pairs(), **options).assign(l1=l1))
        rows.append(contrasts.estimate_all(pooled, pooled_pairs, **options).assign(l1=l1))
    return _with_group_reasons(pd.concat(rows, ignore_index=True), learners_known)


def by_group(scores, groups, learners_known, options):
    """GROUP_CONTRASTS for groups of texts.

    groups: {criterion: the group of each row of scores, None to leave it out}; options: keywords of
    `contrasts.estimate`. Returns its rows, by (the criterion) and group.
    """
    options = _with_group_minimum(options, learners_known)
    rows = []
    for criterion, group_of_row in groups.items():
        for group, group_scores in scores.groupby(group_of_row):
            subset = f"{criterion}: {group}"
            sums = statistics.learner_sums(group_scores, copied=True, learners_known=learners_known, subset=subset)
            estimates = contrasts.estimate_all(sums, _group_pairs(), **options)
            rows.append(estimates.assign(by=criterion, group=group))
    return _with_group_reasons(pd.concat(rows, ignore_index=True), learners_known)


def text_groups(scores, texts):
    """{criterion: the group of each row, None where it is in none}, for length, copies and prompt.

    length: thirds of a level's test texts by number of words. Each criterion leaves out the texts that another one is
    about: copied texts, and texts on held-out prompts. scores: rows with text_id and copied; texts: all texts, with
    level, split, held_out and text.
    """
    test = texts[texts["split"] == "test"]
    n_words = test["text"].str.split().str.len()
    rank = n_words.groupby(test["level"]).rank(method="first", pct=True).to_numpy()
    third = pd.Series(np.select([rank <= 1 / 3, rank <= 2 / 3], ["short", "medium"], "long"), test["text_id"])
    held_out = scores["text_id"].isin(texts.loc[texts["held_out"], "text_id"])
    copied = scores["copied"].astype(bool)
    length = scores["text_id"].map(third).mask(held_out | copied)
    copies = copied.map({True: "copied", False: "not copied"}).mask(held_out)
    prompt = held_out.map({True: "held-out prompts", False: "seen prompts"}).mask(copied)
    return {"length": length, "copies": copies, "prompt": prompt}


def _group_pairs():
    """Pairs of GROUP_CONTRASTS, by level."""
    planned = planned_pairs([], {})
    return {level: [pair for pair in pairs if pair[0] in GROUP_CONTRASTS] for level, pairs in planned.items()}


def _with_group_minimum(options, learners_known):
    return options | {"min_learners": MIN_GROUP_LEARNERS[learners_known]}


def _with_group_reasons(rows, learners_known):
    """The rows, with the reason of those that could not be estimated."""
    unit = "learners" if learners_known else "texts"
    reason = f"fewer than {MIN_GROUP_LEARNERS[learners_known]} {unit}, or no model"
    return rows.assign(reason=rows["reason"].mask(rows["theta"].isna(), reason))


def perplexity_matrix(sums, baseline, equal, learners_known, options):
    """ppl_matrix.csv: all models, the unigram baseline, and the general model at equal examples, by test column.

    sums: {mask_type: LearnerSums} of the models; baseline, equal: scores; options: keywords of
    `statistics.perplexity`. The baseline has perplexities only.
    """
    rows = [statistics.perplexity(model_sums, **options) for model_sums in sums.values()]
    for mask_type in sums:
        baseline_sums = statistics.learner_sums(baseline, mask_type, learners_known=learners_known)
        baseline_rows = statistics.perplexity(baseline_sums, LEVELS, **options)
        rows.append(baseline_rows.assign(bits_per_char=np.nan, context_ppl=np.nan))
        if len(equal):
            equal_sums = statistics.learner_sums(equal, mask_type, learners_known=learners_known)
            rows.append(statistics.perplexity(equal_sums, **options))
    return pd.concat(rows, ignore_index=True)


def robustness_sums(scores, on_held_out_prompts, primary, learners_known, per="token"):
    """{robustness check: LearnerSums}. primary: the LearnerSums on which the verdicts rest; per: the unit of theta.

    scores, on_held_out_prompts: scores of texts on prompts of the training texts, and on others.
    """
    sums = {
        "joined": statistics.learner_sums(scores, "word+ngram+sentence", learners_known=learners_known),
        "with copies": statistics.learner_sums(scores, copied=True, learners_known=learners_known),
        "characters": statistics.by_characters(primary, per),
    }
    if len(on_held_out_prompts):
        sums["held-out prompts"] = statistics.learner_sums(
            on_held_out_prompts, subset="held-out prompts", learners_known=learners_known
        )
    return sums


def equal_example_sums(scores, equal, learners_known):
    """LearnerSums of specialists, transfer models and the general model at equal examples.

    scores: of all models; equal: of the general model after as many examples as each specialist has read.
    """
    compared = scores["model"].map(kind).isin(["specialist", "transfer"])
    rows = pd.concat([scores[compared], equal])
    return statistics.learner_sums(rows, subset="equal examples", learners_known=learners_known)


def nats_of_texts(scores, text_ids, models):
    """nll_text and n_tokens of single texts on the training mix, the mean of seeds: columns (sum, model).

    A row per text that all of these models have scored.
    """
    chosen = scores[scores["text_id"].isin(text_ids) & scores["model"].isin(models)]
    rows = statistics.on_training_mix(chosen)
    sums = rows.groupby(["text_id", "seed", "model"])[["nll_text", "n_tokens"]].sum()
    table = sums.groupby(["text_id", "model"]).mean().unstack()
    return table.reindex(columns=pd.MultiIndex.from_product([["nll_text", "n_tokens"], models])).dropna()


def learning_table(matrix, cost):
    """A row per level: the specialist's perplexity on test texts beside the unigram baseline's, and on validation texts
    beside its own before training. matrix: ppl_matrix.csv; cost: cost.csv. NaN with too few learners."""
    estimated = statistics.on_training_mix(matrix).dropna(subset="ppl_lo").set_index(["test", "model"])["ppl"]
    on_valid = cost.set_index("model")[["valid_perplexity", "start_perplexity"]]
    on_valid = on_valid.reindex(specialists()).set_axis(LEVELS)
    on_valid.columns = ["specialist, valid", "untrained, valid"]
    on_test = {
        "specialist": [estimated.get((level, specialist_of(level)), np.nan) for level in LEVELS],
        "unigram": [estimated.get((level, UNIGRAM), np.nan) for level in LEVELS],
    }
    return pd.DataFrame(on_test, LEVELS).join(on_valid)


def halved(learned):
    """Whether a specialist's validation perplexity is below half of that before training, a series by level."""
    return learned["specialist, valid"] < learned["untrained, valid"] / 2


def below_half(learned):
    """{level: the same of the unigram baseline too, True or False, or "n/a"}. learned: as of `learning_table`."""
    of_both = halved(learned) & (learned["specialist"] < learned["unigram"] / 2)
    return of_both.astype(object).where(learned.notna().all(axis=1), "n/a").to_dict()


def estimation(settings):
    """What the estimates of 06 share, as keyword arguments. settings: of hypotheses.yaml."""
    return {
        "draws": settings.bootstrap_resamples,
        "alpha": settings.alpha,
        "seed": settings.analysis_seed,
        "min_learners": settings.min_learners,
    }
