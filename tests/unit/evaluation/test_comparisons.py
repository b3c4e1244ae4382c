"""Claims about the pairs and groups that are compared, and the tables of their estimates."""

import numpy as np
import pandas as pd
import pytest

from lib import design
from lib.design import LEVELS
from lib.evaluation import comparisons, statistics

OPTIONS = {"draws": 100, "alpha": 0.05, "min_learners": 2, "seed": 1}
ALL = [*design.KIND, "general_continued", "level_prompted"]


def scores(models=("general", "a1", "a1_transfer"), n_texts=60, level="A1", gain=0.5):
    """Scores on the training mix: other models beat the general one by gain nats per token; one text per learner."""
    tables = []
    for model in models:
        per_token = 2.0 if model == "general" else 2.0 - gain
        texts = pd.DataFrame({"text_id": np.arange(n_texts).astype(str), "n_tokens": 5 + np.arange(n_texts) % 3})
        texts = texts.assign(model=model, seed=0, level=level, learner_id="l" + texts["text_id"], copied=False)
        texts["l1"] = np.where(np.arange(n_texts) < 30, "French", "")
        texts["nll_text"] = per_token * texts["n_tokens"]
        tables.append(
            texts.assign(mask_type="training_mix", mask_set=0, n_chars=30, nll_full=20.0, n_context=9, nll_context=9.0)
        )
    return pd.concat(tables, ignore_index=True)


def test_planned_pairs_are_those_of_the_hypotheses():
    pairs = comparisons.planned_pairs(ALL, dict.fromkeys(LEVELS, "b1"))
    assert pairs["A2"] == [
        ("general_vs_specialist", "general", "a2"),
        ("general_vs_transfer", "general", "a2_transfer"),
        ("specialist_vs_transfer", "a2", "a2_transfer"),
        ("general_vs_best_specialist", "general", "b1"),
        ("continued_vs_transfer", "general_continued", "a2_transfer"),
    ]
    assert {level: len(planned) for level, planned in comparisons.planned_pairs(["a1"], {}).items()} == dict.fromkeys(
        LEVELS, 3
    )


def test_a_control_is_compared_with_three_models():
    pairs = comparisons.control_pairs(ALL)["C1"]
    assert [name for name, _, _ in pairs] == [
        "general_vs_general_continued", "general_continued_vs_specialist",
        "general_vs_level_prompted", "level_prompted_vs_specialist", "level_prompted_vs_transfer",
    ]  # fmt: skip


def test_a_control_of_one_level_is_compared_there_only():
    models = [*design.KIND, "general_equal_text_c1"]
    pairs = comparisons.control_pairs(models)
    assert [name for name, _, _ in pairs["C1"]] == [
        "general_vs_general_equal_text_c1",
        "general_equal_text_c1_vs_specialist",
        "general_equal_text_c1_vs_transfer",
    ]
    assert not any(pairs[level] for level in LEVELS[:4])


def test_equal_examples_compare_the_best_only_if_in_level():
    pairs = comparisons.equal_example_pairs({"A1": "a1", "A2": "a1"})
    assert pairs["A1"] == [
        ("general_vs_specialist", "general_equal", "a1"),
        ("general_vs_best_specialist", "general_equal", "a1"),
    ]
    assert pairs["A2"] == [("general_vs_specialist", "general_equal", "a2")]


def test_rivals_are_the_baseline_and_the_other_specialists():
    assert [a for _, a, _ in comparisons.against_other_specialists(["general", "a1", "a2", "c1"])["A1"]] == [
        "unigram",
        "a2",
        "c1",
    ]


def test_the_best_specialist_is_chosen_without_copies():
    at_b1 = scores(("a1", "b1"), level="B1").assign(seed=0)
    at_b1.loc[at_b1["model"] == "b1", "nll_text"] -= 1
    at_b1.loc[(at_b1["model"] == "a1") & (at_b1["text_id"] == "0"), ["nll_text", "copied"]] = [-1000.0, True]
    best = comparisons.best_specialists(pd.concat([at_b1, scores(("a1", "b1"), level="C1")]))
    assert best == {"B1": "b1"}  # no specialist of C1 was scored


def test_groups_that_are_too_small_have_a_reason():
    found = comparisons.by_first_language(scores(), True, OPTIONS)
    assert found["level"].unique().tolist() == [*LEVELS, "all_levels"] and set(found["l1"]) == {"French", "unknown"}
    estimated = found[found["theta"].notna()]
    assert set(estimated["level"]) == {"A1", "all_levels"} and estimated["theta"].to_numpy() == pytest.approx(0.5)
    assert set(found.loc[found["theta"].isna(), "reason"]) == {"fewer than 20 learners, or no model"}
    unknown = comparisons.by_first_language(scores(), False, OPTIONS)
    assert set(unknown["reason"]) == {"fewer than 100 texts, or no model"} and unknown["theta"].isna().all()


def test_each_criterion_leaves_out_the_texts_of_others():
    texts = pd.DataFrame(
        {"text_id": list("123456"), "level": "A1", "split": "test", "text": ["a " * n for n in range(6)]}
    )
    texts["held_out"] = texts["text_id"] == "6"
    rows = pd.DataFrame({"text_id": list("123456"), "copied": [True, *[False] * 5]})
    groups = pd.DataFrame(comparisons.text_groups(rows, texts)).astype(object)
    groups = groups.where(groups.notna(), None)
    assert groups["length"].tolist() == [None, "short", "medium", "medium", "long", None]
    assert groups["copies"].tolist() == ["copied", *["not copied"] * 4, None]
    assert groups["prompt"].tolist() == [None, *["seen prompts"] * 4, "held-out prompts"]
    found = comparisons.by_group(scores(), {"half": scores()["n_tokens"].map({5: "short", 6: "long"})}, True, OPTIONS)
    assert set(found["group"]) == {"short", "long"} and set(found["by"]) == {"half"}
    assert set(found["subset"]) == {"half: short", "half: long"}


def test_the_matrix_holds_baseline_and_equal_examples():
    table = scores()
    baseline, equal = table[:60].assign(model="unigram"), table[:60].assign(model="general_equal")
    matrix = comparisons.perplexity_matrix(
        {"training_mix": statistics.learner_sums(table)}, baseline, equal, True, OPTIONS
    )
    at_a1 = matrix[matrix["test"] == "A1"].set_index("model")
    assert at_a1.index.tolist() == ["a1", "a1_transfer", "general", "unigram", "general_equal"]
    assert at_a1["ppl"].to_numpy() == pytest.approx(np.exp([1.5, 1.5, 2, 2, 2]))
    assert at_a1["bits_per_char"].isna().tolist() == [False, False, False, True, False]


def test_the_learning_table_compares_with_the_baseline():
    table = scores()
    sums = {"training_mix": statistics.learner_sums(table)}
    matrix = comparisons.perplexity_matrix(sums, table[:60].assign(model="unigram"), table[:0], True, OPTIONS)
    cost = pd.DataFrame({"model": ["a1"], "valid_perplexity": [4.0], "start_perplexity": [900.0]})
    learned = comparisons.learning_table(matrix, cost)
    assert learned.index.tolist() == LEVELS and learned.loc["C1"].isna().all()
    assert learned.loc["A1"].tolist() == pytest.approx([np.exp(1.5), np.exp(2), 4.0, 900.0])


def test_half_is_of_both_the_untrained_model_and_the_baseline():
    columns = ["specialist", "unigram", "specialist, valid", "untrained, valid"]
    rows = {"A1": [4, 9, 4, 9], "A2": [4, 7, 4, 9], "B1": [4, 9, 4, 7], "B2": [np.nan, 9, 4, 9]}
    learned = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    assert comparisons.below_half(learned) == {"A1": True, "A2": False, "B1": False, "B2": "n/a"}
    assert comparisons.halved(learned).tolist() == [True, True, False, True]


def test_nats_of_a_text_are_those_of_both_models():
    found = comparisons.nats_of_texts(scores(), ["4", "99"], ["general", "a1"])
    assert found.index.tolist() == ["4"]
    assert found.loc["4", ("nll_text", "general")] == pytest.approx(12) and found.loc["4", ("n_tokens", "a1")] == 6
