"""Claims about classes of tokens: every answer token is in one, and contributions of classes add up to theta."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation import contrasts, scoring, statistics, token_classes
from lib.evaluation.token_classes import BLANKS, CONTENT, FUNCTION, NO_WORD, UNLISTED, WORDS
from lib.masking import frozen_masks
from lib.masking.examples import INFILL

QUICK = {"draws": 200, "min_learners": 2}


@pytest.mark.parametrize(
    "word, expected",
    [
        ("the", FUNCTION),
        ("Don't", FUNCTION),
        ("won’t", FUNCTION),
        ("she's", FUNCTION),
        ("lunch", CONTENT),
        ("beatiful", UNLISTED),
        ("x" * 25, UNLISTED),
        ("слово", UNLISTED),
    ],
)
def test_a_word_is_a_function_word_listed_or_unlisted(word, expected):
    assert token_classes.of_word(word) == expected


def test_a_token_has_the_class_of_the_word_it_ends_in():
    text = "She ate leftover pastta."
    ends = [3, 7, 12, 16, 23, 24]  # She| ate| left|over| pastta|.
    expected = [FUNCTION, CONTENT, CONTENT, CONTENT, UNLISTED, NO_WORD]
    assert token_classes.of_tokens(text, ends).tolist() == expected


def test_a_blank_over_nine_tenths_is_the_whole_text():
    masks = pd.DataFrame({"span_type": [0, 1, 1, 2, 2, 3, 4], "char_length": [100, 91, 90, 95, 20, 91, 3]})
    found = [BLANKS[code] for code in token_classes.of_blanks(masks, np.full(7, 100))]
    assert found == ["whole text", "whole text", "paragraph", "whole text", "sentence", "whole text", "single word"]


@pytest.fixture(scope="module")
def examples(index, drawing, first_special):
    kinds = ["training_mix", "word", "document"]
    masks = pd.concat([frozen_masks.draw_frozen(index, drawing, kind, 2) for kind in kinds])
    return masks, *scoring.frozen_examples(index, masks, first_special)


@pytest.fixture(scope="module")
def classes(texts, index, examples, first_special):
    return token_classes.of_answers(texts, index, examples[0], first_special)


def test_each_answer_token_has_the_class_of_its_blank(examples, classes):
    _, keys, _, roles = examples
    assert [len(found) for found in classes] == [(role == INFILL).sum() for role in roles]
    for mask_type, blank in (("word", BLANKS.index("single word")), ("document", 0)):
        rows = np.flatnonzero(keys["mask_type"] == mask_type)
        blanks = np.concatenate([classes[i] for i in rows]) // len(WORDS)
        assert len(blanks) > 100 and (blanks == blank).all()


def test_classes_of_a_whole_text_are_those_of_its_tokens(texts, index, examples, classes):
    row = np.flatnonzero(examples[1]["mask_type"] == "document")[3]
    text_id = examples[1]["text_id"].iloc[row]
    text = texts.set_index("text_id").loc[text_id, "text"]
    words = token_classes.of_tokens(text, index.loc[index["text_id"] == text_id, "ends"].iloc[0])
    assert (classes[row] % len(WORDS)).tolist() == words.tolist()


def test_sums_of_classes_are_the_scores_of_the_mix(model, examples, classes):
    _, keys, tokens, roles = examples
    sums = token_classes.ClassSums(classes)
    scores = scoring.score(model, keys, tokens, roles, class_sums=sums, batch_tokens=500)
    plain = scoring.score(model, keys, tokens, roles, batch_tokens=500)
    pd.testing.assert_frame_equal(scores, plain)  # classes change no score
    table = sums.table(keys).groupby(["text_id", "mask_set"])[["n_tokens", "nll_text"]].sum()
    mix = scores[scores["mask_type"] == "training_mix"].set_index(["text_id", "mask_set"])
    mix = mix.loc[mix["n_tokens"] > 0, ["n_tokens", "nll_text"]].sort_index()
    pd.testing.assert_frame_equal(table, mix, rtol=1e-9)


def test_words_masked_are_those_of_the_text(index, examples):
    masks, keys, _, _ = examples
    whole = keys[keys["mask_type"] == "document"]
    units = index.set_index("text_id")["units"]
    n_words = [np.count_nonzero(np.array(units[text_id])[::3] == 4) for text_id in whole["text_id"]]
    assert whole["n_words"].tolist() == n_words
    single = masks[masks["mask_type"] == "word"].groupby(["text_id", "mask_set"]).size()
    counted = keys[keys["mask_type"] == "word"].set_index(["text_id", "mask_set"])["n_words"]
    assert counted.tolist() == single.reindex(counted.index).tolist()
    assert counted.sum() > 100


def by_hand():
    """Scores by class of a study in which the specialist gains on single words only, and its texts."""
    rng = np.random.default_rng(0)
    texts = pd.DataFrame({"text_id": range(30), "level": "A1", "copied": False, "held_out": False})
    texts["learner_id"] = (texts["text_id"] // 2).astype(str)
    rows = []
    for text in range(30):
        for blank, n_tokens in (("whole text", 30), ("single word", 10)):
            loss = rng.normal(3, 0.1) * n_tokens
            for model, gain in (("general", 0.5 * n_tokens * (blank == "single word")), ("a1", 0.0)):
                for seed in (0, 1):
                    noise = rng.normal(0, 0.02)
                    rows.append((text, 0, blank, "content word", n_tokens, loss + gain + noise, model, seed))
    return pd.DataFrame(rows, columns=[*token_classes.COLUMNS, "model", "seed"]), texts


def test_contributions_add_up_to_theta_and_gain_is_where_it_is():
    scored, texts = by_hand()
    found = token_classes.by_class(scored, texts, True, QUICK)
    rows = found[(found["by"] == "blank") & (found["level"] == "A1")].set_index("group")
    totals = scored.merge(texts[["text_id", "level", "learner_id"]])
    filler = dict.fromkeys(["nll_full", "nll_context", "n_chars", "n_context"], 1.0)
    whole = statistics.learner_sums(totals.assign(mask_type="training_mix", copied=False, **filler))
    pair = [("general_vs_specialist", "general", "a1")]
    theta = contrasts.estimate(whole, pair, "A1", **QUICK)["theta"][0]
    assert rows["contribution"].sum() == pytest.approx(theta)
    assert rows["theta_share"].sum() == pytest.approx(1) and rows["token_share"].sum() == pytest.approx(1)
    assert rows.loc["single word", "theta"] == pytest.approx(0.5, abs=0.05)
    assert rows.loc["single word", "theta_share"] == pytest.approx(1, abs=0.1)
    assert rows.loc["whole text", "ci_lo"] < 0 < rows.loc["whole text", "ci_hi"]
    assert np.isnan(rows.loc["sentence", "theta"]) and rows.loc["sentence", "token_share"] == 0


def test_no_share_is_given_where_theta_may_be_zero():
    scored, texts = by_hand()
    half = (scored["model"] == "general") & (scored["blank"] == "single word") & (scored["text_id"] % 4 < 2)
    rows = token_classes.by_class(scored.assign(nll_text=scored["nll_text"] - 10 * half), texts, True, QUICK)
    at_a1 = rows[rows["level"] == "A1"]
    assert at_a1["contribution"].notna().any() and at_a1["theta_share"].isna().all()


def test_copied_texts_and_held_out_prompts_are_in_no_class():
    scored, texts = by_hand()
    texts["copied"] = texts["text_id"] < 4
    texts["held_out"] = texts["text_id"].between(4, 7)
    found = token_classes.by_class(scored, texts, True, QUICK).dropna(subset="theta")
    assert set(found["n_learners"]) == {11}


def test_theta_per_word_is_theta_per_token_times_tokens_per_word():
    scored, texts = by_hand()
    rows = scored.merge(texts[["text_id", "level"]]).rename(columns={"text_id": "learner"})
    rows = rows.groupby(["model", "seed", "level", "learner"])[["nll_text", "n_tokens"]].sum().reset_index()
    table = rows.assign(n_words=rows["n_tokens"] / 1.25, n_chars=rows["n_tokens"] * 4)
    sums = statistics.LearnerSums(table, "training_mix", "without_copies", True)
    found = token_classes.by_unit(sums, QUICK).query("level == 'A1'").set_index("group")
    assert found["theta"]["word"] == pytest.approx(1.25 * found["theta"]["token"])
    assert found["theta"]["character"] == pytest.approx(found["theta"]["token"] / 4)
    assert found["tokens_per_unit"].tolist() == pytest.approx([1, 1.25, 0.25])
    assert found["se"]["word"] == pytest.approx(1.25 * found["se"]["token"])
    with pytest.raises(ValueError, match="run 04_evaluate again"):
        statistics.per_unit(sums._replace(table=table.drop(columns="n_words")), "word")
