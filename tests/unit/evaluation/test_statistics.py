"""Claims about contrasts and intervals: they are the hand calculation, and they have their nominal coverage."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as reference
from statsmodels.stats.multitest import multipletests

from lib.evaluation import contrasts, statistics

LEVELS = ["A1", "A2", "B1", "B2", "C1"]
MARGIN = np.log(1.10)


def scores(nll, n_tokens=10, level="A1", learner=None, **columns):
    """A long score table from nll {(model, seed): per text}, with one training mask per text."""
    tables = []
    for (model, seed), values in nll.items():
        text = np.arange(len(values)).astype(str)
        tables.append(
            pd.DataFrame(
                {
                    "model": model,
                    "seed": seed,
                    "text_id": text,
                    "learner_id": text if learner is None else learner,
                    "level": level,
                    "copied": False,
                    "mask_type": "training_mix",
                    "mask_set": 0,
                    "n_tokens": n_tokens,
                    "n_chars": 40,
                    "nll_text": values,
                    "nll_full": np.asarray(values) + 2.0,
                    "n_context": 20,
                    "nll_context": 30.0,
                }
                | columns
            )
        )
    return pd.concat(tables, ignore_index=True)


def compare(table, a="general", b="a1", level="A1", **options):
    sums = table if isinstance(table, statistics.LearnerSums) else statistics.learner_sums(table)
    return contrasts.estimate(sums, [("general_vs_specialist", a, b)], level, **options).iloc[0]


def summed(rows):
    """LearnerSums from columns model, seed, level, learner, nll_text, n_tokens."""
    filler = dict.fromkeys(["nll_full", "nll_context"], 1.0) | dict.fromkeys(["n_chars", "n_context", "n_texts"], 1)
    return statistics.LearnerSums(pd.DataFrame(rows).assign(**filler), "training_mix", "without_copies", True)


def test_equal_single_texts_reduce_to_a_paired_t_test():
    rng = np.random.default_rng(1)
    own, general = rng.normal(20, 3, 25), rng.normal(23, 3, 25)
    row = compare(scores({("general", 0): general, ("a1", 0): own}))
    test = reference.ttest_rel(general / 10, own / 10)
    low, high = test.confidence_interval(0.95)
    assert row["df"] == pytest.approx(24)
    assert row["theta"] == pytest.approx((general - own).mean() / 10)
    assert [row["ci_lo"], row["ci_hi"]] == pytest.approx([low, high], abs=0.02 * (high - low))
    p = statistics.p_above(row["theta"], row["se"], row["df"], 0)
    assert p == pytest.approx(reference.ttest_rel(general, own, alternative="greater").pvalue, rel=0.15)
    assert row["gain_lo"] == pytest.approx(100 * (np.exp(row["ci_lo"]) - 1))


def test_the_standard_error_is_not_too_small_for_few_learners():
    own, general = np.array([20.0, 23, 19, 25, 21, 18]), np.array([24.0, 24, 25, 26, 23, 27])
    row = compare(scores({("general", 0): general, ("a1", 0): own}))
    assert row["se"] == pytest.approx(reference.sem(general - own) / 10, rel=0.03)  # uncorrected: 9 % less


def test_theta_is_a_ratio_of_sums_averaged_over_seeds():
    table = scores(
        {("general", 0): [30, 50], ("general", 1): [34, 54], ("a1", 0): [20, 40], ("a1", 1): [20, 40]},
        n_tokens=[10, 30],
    )
    row = compare(table, min_learners=2, draws=200)
    assert row["theta"] == pytest.approx((12 + 12) / 40)  # a mean over learners would be .8
    assert (row["n_tokens"], row["n_learners"], row["seeds"]) == (40, 2, 2)


def test_the_same_call_gives_the_same_interval():
    table = scores({("general", 0): np.arange(9.0), ("a1", 0): np.arange(9.0) ** 2})
    assert compare(table, draws=500).equals(compare(table, draws=500))
    assert compare(table, draws=500)["se"] != compare(table, draws=500, seed=1)["se"]


def test_blocks_of_the_bootstrap_keep_every_draw():
    values = np.arange(14.0).reshape(7, 2)
    resampled = statistics.resampled_sums(values, draws=1001, cells=70)
    assert resampled.shape == (1001, 2)
    assert np.allclose(resampled[:, 1] - resampled[:, 0], 7)  # each sample holds seven learners
    assert resampled.mean(axis=0) == pytest.approx(values.sum(axis=0), rel=0.03)


def test_satterthwaite_is_the_hand_calculation():
    se, df = contrasts.satterthwaite([(4, 9), (1, 4)])
    assert (se, df) == pytest.approx((5**0.5, 25 / (16 / 9 + 1 / 4)))


def test_satterthwaite_of_two_means_is_welch():
    x, y = np.array([1.0, 4, 2, 8, 5]), np.array([2.0, 2.5, 3, 2.2])
    _, df = contrasts.satterthwaite([(x.var(ddof=1) / 5, 4), (y.var(ddof=1) / 4, 3)])
    assert df == pytest.approx(reference.ttest_ind(x, y, equal_var=False).df)


def test_seed_noise_is_at_least_the_pooled_variance():
    quiet, loud = np.array([1.0, 1.1]), np.array([1.0, 1.4])  # v = .005 and .08
    terms = contrasts.seed_parts([quiet, loud], pooled=(0.02, 6))
    assert sum(variance for variance, _ in terms) == pytest.approx(0.02 / 2 + 0.08 / 2)
    alike = contrasts.seed_parts([loud, loud], pooled=(0.02, 6))
    assert sum(variance for variance, _ in alike) == pytest.approx(2 * 0.08 / 2)
    assert terms[0] == pytest.approx((2 * 0.02 / 2, 6))  # the pooled part has the df of all models
    assert terms[2] == pytest.approx((0.06 / 2, 1))


def test_pooled_variance_is_of_comparable_models_alone():
    cells = {
        ("a1", "A1"): [1.0, 1.2],
        ("a1", "A2"): [1.0, 3.0],
        ("general", "A1"): [1.0, 1.4],
        ("general", "A2"): [1.0, 1.4],
        ("c1", "C1"): [2.0, 2.0],
        ("initial", "A1"): [2.0, 2.1],
        ("a1_transfer", "A1"): [1.0, 1.1],
        ("general_continued", "A1"): [1.0, 1.1],
    }
    rows = [
        {"model": m, "level": level, "seed": seed, "learner": "x", "nll_text": value, "n_tokens": 1}
        for (m, level), values in cells.items()
        for seed, value in enumerate(values)
    ]
    assert contrasts.pooled_seed_variance(summed(rows)) == pytest.approx(((0.02 + 0.08) / 2, 2))


def test_seeds_widen_the_interval_and_cost_degrees_of_freedom():
    rng = np.random.default_rng(2)
    own, general = rng.normal(20, 1, 200), rng.normal(23, 1, 200)
    steady = compare(scores({("general", 0): general, ("general", 1): general, ("a1", 0): own, ("a1", 1): own}))
    noisy = compare(scores({("general", 0): general - 1, ("general", 1): general + 1, ("a1", 0): own, ("a1", 1): own}))
    assert steady["theta"] == pytest.approx(noisy["theta"])
    v = 0.02  # of ln PPL over general's seeds: 2.0 and 2.2 around the mean; also pooled, as only general varies
    assert noisy["se"] ** 2 == pytest.approx(noisy["se_data"] ** 2 + 2 * v / 2)
    assert noisy["df"] < 2 < 100 < steady["df"]


def test_with_one_seed_there_is_no_seed_noise_but_a_note():
    rng = np.random.default_rng(3)
    row = compare(scores({("general", 0): rng.normal(23, 1, 30), ("a1", 0): rng.normal(20, 1, 30)}))
    assert row["se"] == row["se_data"]
    assert row["provisional"] and "one seed" in row["reason"]


def test_a_model_with_one_seed_has_the_pooled_variance():
    rng = np.random.default_rng(3)
    table = scores(
        {("general", 0): rng.normal(23, 1, 30), ("general", 1): rng.normal(24, 1, 30), ("a1", 0): rng.normal(20, 1, 30)}
    )
    row = compare(table)
    pooled, _ = contrasts.pooled_seed_variance(statistics.learner_sums(table))
    assert row["se"] ** 2 == pytest.approx(row["se_data"] ** 2 + pooled / 2 + pooled / 1)
    assert row["provisional"]


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda t: t[t["model"] != "a1"], "no scores of a1"),
        (lambda t: t.assign(level="B1"), "no scores of general and a1"),
        (lambda t: t.iloc[:0], "no scores of general and a1"),
        (lambda t: t[t["text_id"].astype(int) < 4], "4 learners, below 5"),
        (lambda t: t.assign(n_tokens=0, nll_text=0.0), "0 learners, below 5"),
        (lambda t: t.assign(n_tokens=t["n_tokens"].where(t["model"] == "a1", 11)), "not scored on the same tokens"),
        (lambda t: t[(t["model"] == "a1") | (t["text_id"] != "0")], "not scored on the same tokens"),
    ],
)
def test_what_cannot_be_estimated_is_nan_with_a_reason(change, reason):
    row = compare(change(scores({("general", 0): np.ones(8), ("a1", 0): np.ones(8)})), draws=50)
    assert row[contrasts.ESTIMATES].isna().all()
    assert reason in row["reason"]


def test_a_missing_model_does_not_affect_other_contrasts():
    table = scores({("general", 0): np.arange(8.0), ("a1", 0): np.ones(8)})
    both = contrasts.estimate(
        statistics.learner_sums(table), [("general_vs_specialist", "general", "a1"), ("x", "a1", "b2")], "A1"
    )
    assert both["theta"].notna().tolist() == [True, False]
    assert both.loc[0, "se"] == compare(table)["se"]


def test_copied_texts_and_other_masks_need_an_option():
    table = scores(
        {("a1", 0): [1.0, 2.0, 4.0, 8.0]},
        copied=[False, True, False, False],
        mask_type=["training_mix", "training_mix", "word", "ngram"],
    )

    def total(**options):
        return statistics.learner_sums(table, **options).table["nll_text"].sum()

    assert (total(), total(copied=True), total(mask_type="word+ngram")) == (1, 3, 12)
    assert statistics.learner_sums(table, copied=True).subset == "with_copies"


def test_the_key_that_hashed_learner_ids_changes_nothing():
    values = {("general", 0): np.arange(9.0), ("a1", 0): np.linspace(1, 3, 9)}
    found = [
        compare(statistics.learner_sums(scores(values, learner=list(ids))), min_learners=2)
        for ids in ["aabbccdde", "zzmmxxaab"]
    ]
    assert found[0].to_dict() == found[1].to_dict()


def test_texts_without_learner_ids_make_it_provisional():
    table = scores({("general", 0): np.arange(6.0), ("a1", 0): np.ones(6)}, learner=["x", "x", "x", "", None, "y"])
    sums = statistics.learner_sums(table)
    assert sums.table.groupby("learner")["n_texts"].max().tolist() == [3, 1, 1, 1]  # x, text 3, text 4, y
    assert "learners are unknown" in compare(sums, min_learners=2)["reason"]


def test_partly_known_learners_are_clusters_but_provisional():
    table = scores({("general", 0): np.arange(6.0), ("a1", 0): np.ones(6)}, learner=["x", "x", "x", "text 3", "y", "y"])
    sums = statistics.learner_sums(table, learners_known=False)
    assert sums.table.groupby("learner")["n_texts"].max().tolist() == [3, 1, 2] and not sums.learners_known


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="1 scores are not finite"):
        statistics.learner_sums(scores({("a1", 0): [1.0, np.nan]}))


def test_perplexities_are_the_hand_sums():
    table = pd.concat(
        [
            scores({("a1", 0): [20.0, 10, 30, 25, 15], ("a1", 1): [22.0, 12, 32, 27, 17]}),
            scores({("a1", 0): [50.0] * 3, ("a1", 1): [50.0] * 3}, level="B1", learner=["0", "0", "z"]),
        ]
    )
    matrix = statistics.perplexity(statistics.learner_sums(table), draws=500).set_index("test")
    assert matrix.index.tolist() == [*LEVELS, "all_levels"]
    row = matrix.loc["A1"]
    assert row["ppl"] == pytest.approx(np.exp((2.0 + 2.2) / 2))
    assert row["seed_sd"] == pytest.approx(np.std([2.0, 2.2], ddof=1))
    assert row["bits_per_char"] == pytest.approx((110 + 120) / 2 / np.log(2) / 200)
    assert row["context_ppl"] == pytest.approx(np.exp(1.5))
    assert row["ppl_lo"] < row["ppl"] < row["ppl_hi"] and row["kind"] == "specialist"
    assert matrix.loc["B1", ["n_texts", "n_learners", "n_tokens"]].tolist() == [3, 2, 30]
    assert matrix.loc["B1", ["ppl", "ppl_lo"]].tolist() == pytest.approx([np.exp(5), np.nan], nan_ok=True)
    assert matrix.loc["all_levels", ["n_texts", "n_learners"]].tolist() == [8, 6]  # learner 0 writes at both levels
    assert matrix.loc["A2", "n_texts"] == 0 and np.isnan(matrix.loc["A2", "ppl"])


def test_the_perplexity_interval_is_log_t():
    values = np.random.default_rng(4).normal(20, 4, 30)
    row = statistics.perplexity(statistics.learner_sums(scores({("general", 0): values})), tests=["A1"]).iloc[0]
    low, high = reference.ttest_1samp(values / 10, 0).confidence_interval(0.95)
    assert np.log([row["ppl_lo"], row["ppl_hi"]]) == pytest.approx([low, high], abs=0.02 * (high - low))


def test_bits_per_character_keep_the_unit_of_theta():
    rng = np.random.default_rng(5)
    sums = statistics.learner_sums(scores({("general", 0): rng.normal(23, 1, 30), ("a1", 0): rng.normal(20, 1, 30)}))
    characters = statistics.by_characters(sums)
    assert compare(characters)["theta"] == pytest.approx(compare(sums)["theta"])  # end tokens cost both the same
    ends = sums._replace(
        table=sums.table.assign(nll_full=sums.table["nll_text"] + np.where(sums.table["model"] == "general", 3.0, 1.0))
    )
    assert compare(statistics.by_characters(ends))["theta"] == pytest.approx(compare(sums)["theta"] + 0.2)
    assert characters.subset == "bits per character"


def test_holm_is_the_hand_calculation_and_skips_nan():
    assert statistics.holm([0.01, np.nan, 0.04, 0.03])[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    p = [0.2, 0.001, 0.04, 0.013, 0.5]
    assert statistics.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert np.isnan(statistics.holm([np.nan, np.nan])).all()


def test_a_margin_per_word_asks_for_less_per_token():
    rng = np.random.default_rng(6)
    nll = {("general", 0): rng.normal(21, 0.1, 40), ("a1", 0): rng.normal(20, 0.1, 40)}  # theta .1 per token of 10
    sums = statistics.learner_sums(scores(nll, n_words=5))
    per_token = compare(sums)
    per_word = compare(sums, per="word")
    assert per_word["theta"] == pytest.approx(2 * per_token["theta"]) and per_word["theta"] > MARGIN > 0.09
    characters = compare(statistics.by_characters(sums, "word"), per="word")
    assert characters["theta"] == pytest.approx(per_word["theta"])  # in bits per character, on the scale of words


def test_hochberg_is_the_hand_calculation_and_skips_nan():
    assert statistics.hochberg([0.01, np.nan, 0.04, 0.03])[[0, 2, 3]] == pytest.approx([0.03, 0.04, 0.04])
    assert statistics.hochberg([0.2, 0.001, 0.04, 0.013, 0.5]) == pytest.approx(
        multipletests([0.2, 0.001, 0.04, 0.013, 0.5], method="simes-hochberg")[1]
    )
    assert statistics.hochberg([0.04] * 5) == pytest.approx([0.04] * 5)  # all together, as one intersection-union test
    assert statistics.hochberg([0.04, 0.5, 0.5, 0.5, 0.5])[0] == pytest.approx(0.2)


def test_p_is_a_half_at_the_margin_and_certain_without_spread():
    assert statistics.p_above(0.3, 0.1, 7, 0.3) == pytest.approx(0.5)
    assert statistics.p_above([0.5, 0.1], 0.1, 7, 0.3) == pytest.approx(reference.t.sf([2, -2], 7))
    assert statistics.p_above([0.2, 0.1, 0.0], 0, 7, 0.1).tolist() == [0, 1, 1]
    assert np.isnan(statistics.p_above(np.nan, np.nan, np.nan, 0))


def test_the_minimum_detectable_effect_has_its_nominal_power():
    se, df = 0.02, 11.5
    effect = statistics.minimum_detectable_effect(se, df, alpha=0.05, power=0.9)
    assert reference.nct.sf(reference.t.isf(0.05, df), df, effect / se) == pytest.approx(0.9, abs=1e-6)
    assert statistics.minimum_detectable_effect(se, df, alpha=0.01) > effect
    assert np.isnan(statistics.minimum_detectable_effect(np.nan, np.nan))


def clustered_studies(rng, studies, learners=60):
    """Many studies of true theta 0 as pairs of models, summed by learner and by text. Learners differ, and write 1 to
    8 texts each."""
    writer = np.repeat(np.arange(learners), rng.integers(1, 9, learners))
    tokens = rng.integers(5, 30, len(writer))
    fixed = {"seed": 0, "level": "A1", "n_tokens": tokens, "text": np.arange(len(writer)), "writer": writer}
    rows = []
    for k in range(studies):
        theta = rng.normal(0, 0.2, learners)[writer] + rng.normal(0, 0.2, len(writer))
        rows += [
            pd.DataFrame(fixed | {"model": f"general {k}", "nll_text": tokens * (2 + theta)}),
            pd.DataFrame(fixed | {"model": f"a1 {k}", "nll_text": tokens * 2.0}),
        ]
    for unit in ("writer", "text"):
        keys = ["model", "seed", "level", unit]
        sums = pd.concat(rows).groupby(keys, as_index=False)[["nll_text", "n_tokens"]].sum()
        yield summed(sums.rename(columns={unit: "learner"}))


def test_intervals_cover_by_learners_and_not_by_texts():
    studies = 300
    pairs = [("general_vs_specialist", f"general {k}", f"a1 {k}") for k in range(studies)]
    tables = [
        contrasts.estimate(sums, pairs, "A1", draws=1000)
        for sums in clustered_studies(np.random.default_rng(6), studies)
    ]
    by_learner, by_text = [((rows["ci_lo"] < 0) & (rows["ci_hi"] > 0)).mean() for rows in tables]
    assert 0.92 <= by_learner <= 0.98
    assert by_text < 0.88


def texts_by_level(n, copied=False):
    """n texts, each of its own learner, at each level: {level: n}."""
    tables = [
        scores(
            {(model, 0): 20.0 + np.arange(k) + len(model) for model in ("general", "a1", "c1")},
            level=level,
            learner=[f"{level} {text}" for text in range(k)],
            copied=copied,
        )
        for level, k in n.items()
        if k
    ]
    return pd.concat(tables) if tables else scores({("general", 0): []}).head(0)


FEW_TEXTS = {
    "no text": ({}, False),
    "a level without texts": (dict.fromkeys(LEVELS[:4], 6), False),
    "a single learner": (dict.fromkeys(LEVELS[:4], 6) | {"C1": 1}, False),
    "copied texts alone": (dict.fromkeys(LEVELS, 6), True),
}


@pytest.mark.parametrize(("n", "copied"), FEW_TEXTS.values(), ids=FEW_TEXTS)
def test_a_level_without_texts_has_a_reason(n, copied):
    table = texts_by_level(n, copied)
    expected = {level: 0 if copied else n.get(level, 0) for level in LEVELS}
    sums = statistics.learner_sums(table)
    for measure in (sums, statistics.by_characters(sums)):
        for level in LEVELS:
            row = compare(measure, b="c1", level=level, draws=50)
            assert np.isfinite(row["theta"]) == (expected[level] >= 5)
            assert np.isfinite(row["theta"]) or row["reason"]
    matrix = statistics.perplexity(sums, draws=50).set_index(["model", "test"])
    for model, level in matrix.index:
        texts = sum(expected.values()) if level == "all_levels" else expected[level]
        row = matrix.loc[(model, level)]
        assert row["n_texts"] == texts
        assert [np.isfinite(row["ppl"]), np.isfinite(row["ppl_lo"])] == [texts > 0, texts >= 5]


def study_at_the_margin(rng, seeds=3, learners=40, noise=0.05):
    """theta = ln 1.10 at every level; each training run moves its model's ln PPL by `noise` (sd)."""
    tokens, rows = rng.integers(20, 80, learners), []
    for level in LEVELS[:3]:
        shared = rng.normal(0, 0.1, learners)
        for model, log_ppl in (("general", 2 + MARGIN), (level.lower(), 2.0)):
            own = rng.normal(0, noise, (seeds, 1)) + rng.normal(0, 0.05, (seeds, learners))
            rows.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "seed": np.repeat(np.arange(seeds), learners),
                        "level": level,
                        "nll_text": (tokens * (log_ppl + shared + own)).ravel(),
                        "learner": np.tile(np.arange(learners), seeds),
                        "n_tokens": np.tile(tokens, seeds),
                    }
                )
            )
    return summed(pd.concat(rows))


def test_seed_noise_does_not_make_h1_true_at_the_margin():
    rng = np.random.default_rng(7)
    rows = pd.DataFrame([compare(study_at_the_margin(rng), draws=200) for _ in range(100)])
    claimed = statistics.p_above(rows["theta"], rows["se"], rows["df"], MARGIN) < 0.05
    naive = statistics.p_above(rows["theta"], rows["se_data"], 39, MARGIN) < 0.05
    assert claimed.mean() <= 0.08
    assert naive.mean() > 0.25  # at one level; over five levels most studies claim it somewhere
