"""Which models are compared at a level, and in which groups of texts (06_compare).

A pair is (name, a, b), of which `contrasts.of` makes theta = ln PPL_a - ln PPL_b; wishes are {level: pairs}.
"""

import numpy as np
import pandas as pd

from lib.design import CONTINUED, GENERAL, LEVELS, kind, specialist_of, specialists, transfer_of
from lib.evaluation import contrasts, statistics

UNIGRAM, GENERAL_EQUAL = (
    "unigram",
    "general_equal",
)  # what is no model of its own: guesses by frequency; the general one, earlier
SMALL = {True: 20, False: 100}  # learners of a group, or texts where the corpus names no learners: fewer are not shown
GROUP_CONTRASTS = ["general_vs_specialist", "general_vs_transfer"]  # what is asked of every group


def best_specialists(scores):
    """{level: the specialist least surprised by its valid texts}, where the level has an own model: the test texts
    on which it is then compared must not choose it. scores: of valid texts, of all models."""
    rows = scores[scores["model"].isin(specialists()) & ~scores["copied"].astype(bool)]
    totals = rows.groupby(["level", "model", "seed"])[["nll_text", "n_tokens"]].sum()
    log_ppl = (totals["nll_text"] / totals["n_tokens"]).groupby(["level", "model"]).mean().unstack()
    return {level: model for level, model in log_ppl.idxmin(axis=1).items() if specialist_of(level) in log_ppl}


def planned_pairs(models, best):
    """Wishes that the hypotheses rest on. best: as `best_on_valid` returns it."""
    wishes = {}
    for level in LEVELS:
        wishes[level] = [
            ("general_vs_specialist", GENERAL, specialist_of(level)),
            ("general_vs_transfer", GENERAL, transfer_of(level)),
        ]
        wishes[level].append(("specialist_vs_transfer", specialist_of(level), transfer_of(level)))
        if level in best:
            wishes[level].append(("general_vs_best_specialist", GENERAL, best[level]))
        if CONTINUED in models:
            wishes[level].append(("continued_vs_transfer", CONTINUED, transfer_of(level)))
    return wishes


def control_pairs(models):
    """Wishes that hold each control against the general, the own and the transfer model."""
    wishes = {level: [] for level in LEVELS}
    for level in LEVELS:
        for control in [model for model in models if kind(model) == "control"]:
            wishes[level] += [
                (f"general_vs_{control}", GENERAL, control),
                (f"{control}_vs_specialist", control, specialist_of(level)),
            ]
            if control != CONTINUED:  # `planned` asks that
                wishes[level].append((f"{control}_vs_transfer", control, transfer_of(level)))
    return wishes


def equal_example_pairs(best):
    """Wishes about the general model as it was when it had read as many examples as the level's own."""
    wishes = {level: [("general_vs_specialist", GENERAL_EQUAL, specialist_of(level))] for level in LEVELS}
    for level in LEVELS:
        if best.get(level) == specialist_of(level):
            wishes[level].append(("general_vs_best_specialist", GENERAL_EQUAL, specialist_of(level)))
    return wishes


def against_other_specialists(models):
    """Wishes that hold each level's own model against the floor and every other specialist."""
    wishes = {}
    for level in LEVELS:
        others = [model for model in models if kind(model) == "specialist" and model != specialist_of(level)]
        wishes[level] = [("unigram_vs_specialist", UNIGRAM, specialist_of(level))]
        wishes[level] += [(f"{model}_vs_specialist", model, specialist_of(level)) for model in others]
    return wishes


def by_first_language(scores, known, how):
    """BOTH for each L1 at each level, and over all levels (mixed), where a text is judged by its own level's models.

    scores: of the mix, uncopied or not; known: are learners?; how: keywords of `contrasts.of`. Returns its rows and l1.
    """
    scores = scores.assign(l1=scores["l1"].replace("", "unknown"))
    at_home = scores["model"].mask(scores["model"] == scores["level"].map(specialist_of), "specialist")
    at_home = at_home.mask(scores["model"] == scores["level"].map(transfer_of), "transfer")
    together = {
        "all_levels": [("general_vs_specialist", GENERAL, "specialist"), ("general_vs_transfer", GENERAL, "transfer")]
    }
    rows = []
    for l1, part in scores.groupby("l1"):
        each_level = statistics.learner_sums(part, learners_known=known)
        all_levels = statistics.learner_sums(part.assign(model=at_home), learners_known=known)
        for sums, wishes in [(each_level, _both()), (all_levels, together)]:
            rows.append(contrasts.estimate_all(sums, wishes, **_large(how, known)).assign(l1=l1))
    return _small_named(pd.concat(rows, ignore_index=True), known)


def by_group(scores, groups, known, how):
    """BOTH for groups of texts. groups: {by: column of scores or None}, where None leaves a text out; else as above.

    Returns rows of `contrasts.of`, by (what parts the texts) and group.
    """
    rows = []
    for by, names in groups.items():
        for group, part in scores.groupby(names):
            sums = statistics.learner_sums(part, copied=True, learners_known=known, subset=f"{by}: {group}")
            found = contrasts.estimate_all(sums, _both(), **_large(how, known))
            rows.append(found.assign(by=by, group=group))
    return _small_named(pd.concat(rows, ignore_index=True), known)


def text_groups(scores, texts):
    """{by: the group of each row, None where it is in none}: length (thirds of a level's test texts, by words), copies,
    prompt. Each question leaves out what the others are about: copied texts, and held-out prompts.

    scores: rows with text_id and copied; texts: all texts, with level, split, held_out and text.
    """
    test = texts[texts["split"] == "test"]
    rank = test["text"].str.split().str.len().groupby(test["level"]).rank(method="first", pct=True).to_numpy()
    third = pd.Series(np.select([rank <= 1 / 3, rank <= 2 / 3], ["short", "middle"], "long"), test["text_id"])
    held_out = scores["text_id"].isin(texts.loc[texts["held_out"], "text_id"])
    copied = scores["copied"].astype(bool)
    length = scores["text_id"].map(third).mask(held_out | copied)
    copies = copied.map({True: "copied", False: "not copied"}).mask(held_out)
    prompt = held_out.map({True: "held out", False: "met in training"}).mask(copied)
    return {"length": length, "copies": copies, "prompt": prompt}


def _both():
    return {level: pairs[:2] for level, pairs in planned_pairs([], {}).items()}


def _large(how, known):
    return how | {"min_learners": SMALL[known]}


def _small_named(rows, known):
    why = f"fewer than {SMALL[known]} {'learners' if known else 'texts'}, or no model"
    return rows.assign(reason=rows["reason"].mask(rows["theta"].isna(), why))


def perplexity_matrix(sums, floor, equal, known, how):
    """ppl_matrix.csv: every model on every test column, then the floor, which has a perplexity and nothing else, and
    the general model at equal examples, by kinds of masks. sums: {mask_type: LearnerSums}; floor, equal: scores."""
    rows = [statistics.perplexity(one, **how) for one in sums.values()]
    for mask_type in sums:
        found = statistics.learner_sums(floor, mask_type, learners_known=known)
        found = statistics.perplexity(found, LEVELS, **how)
        rows.append(found.assign(bits_per_char=np.nan, context_ppl=np.nan))
        if len(equal):
            found = statistics.learner_sums(equal, mask_type, learners_known=known)
            rows.append(statistics.perplexity(found, **how))
    return pd.concat(rows, ignore_index=True)


def robustness_sums(scores, on_new_prompts, mix, known):
    """{name: LearnerSums} of the same question asked otherwise. scores, on_new_prompts: of prompts that models met, and
    of others; mix: the LearnerSums that verdicts rest on."""
    ways = {"joined": statistics.learner_sums(scores, "word+ngram+sentence", learners_known=known)}
    ways["with copies"] = statistics.learner_sums(scores, copied=True, learners_known=known)
    ways["characters"] = statistics.by_characters(mix)
    if len(on_new_prompts):
        new = statistics.learner_sums(on_new_prompts, subset="held-out prompts", learners_known=known)
        ways["new prompts"] = new
    return ways


def equal_example_sums(scores, equal, known):
    """LearnerSums in which the general model is as it was at equal examples: in place of it and of the controls."""
    stay = scores["model"].map(kind).isin(["specialist", "transfer"])
    return statistics.learner_sums(pd.concat([scores[stay], equal]), subset="equal examples", learners_known=known)


def nats_of_texts(scores, text_ids, models):
    """What some texts' answers of the mix cost models, the mean of their seeds: nll_text and n_tokens by (column,
    model), a row a text that all of these models were asked about."""
    rows = statistics.on_training_mix(scores[scores["text_id"].isin(text_ids) & scores["model"].isin(models)])
    sums = rows.groupby(["text_id", "seed", "model"])[["nll_text", "n_tokens"]].sum()
    table = sums.groupby(["text_id", "model"]).mean().unstack()
    return table.reindex(columns=pd.MultiIndex.from_product([["nll_text", "n_tokens"], models])).dropna()


def learning_table(matrix, cost):
    """A row a level: perplexity of its own model beside the floor on test texts, on valid texts beside itself before
    training. matrix: ppl_matrix.csv; cost: cost.csv. Where too few learners were asked, NaN."""
    shown = statistics.on_training_mix(matrix).dropna(subset="ppl_lo").set_index(["test", "model"])["ppl"]
    on_valid = cost.set_index("model")[["valid_perplexity", "start_perplexity"]]
    on_valid = on_valid.reindex(specialists()).set_axis(LEVELS)
    on_valid.columns = ["specialist, valid", "untrained, valid"]
    test = {"specialist": [shown.get((level, specialist_of(level)), np.nan) for level in LEVELS]}
    test["unigram"] = [shown.get((level, UNIGRAM), np.nan) for level in LEVELS]
    return pd.DataFrame(test, LEVELS).join(on_valid)
