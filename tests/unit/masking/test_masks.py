"""Claims about random numbers, masks and their spans."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from lib.experiment import parameters
from lib.masking import masks
from lib.masking.segmentation import NGRAM, WORD, segment
from tests.helpers.learner_texts import LEARNER_LIKE

SETTINGS = parameters.load_file("params/demo/masks.yaml")


def draw(texts, seed=0, purpose=masks.TRAINING, pass_number=0, n_masks=16, mask_type="training_mix", text_ids=None):
    units = [segment(text) for text in texts]
    units_of_texts = SimpleNamespace(units=np.concatenate(units), unit_bounds=np.cumsum([0, *map(len, units)]))
    keys = masks.text_keys(text_ids or range(len(texts)))
    return masks.draw(units_of_texts, keys, SETTINGS, seed, purpose, pass_number, n_masks, mask_type)


def by_text(drawn):
    """{row of the text: [masks as lists of spans]}"""
    spans, ends, owner = drawn
    return {
        text: [spans[ends[m - 1] if m else 0 : ends[m]].tolist() for m in np.flatnonzero(owner == text)]
        for text in np.unique(owner)
    }


def test_philox_is_numpys_philox():
    counter, key = [5, 6, 7, 8], [2020, 3]
    reference = np.random.Philox(counter=counter, key=key).random_raw(4)
    ours = masks.philox(*map(np.uint64, [6, 6, 7, 8]), *map(np.uint64, key))  # numpy counts up before it draws
    assert list(map(int, reference)) == list(map(int, ours))


def n_skipped(draws, p=0.03):
    """Units skipped before the next blank: geometric, by the inverse of its distribution function."""
    return int(np.log(1 - next(draws)) * (1 / np.log1p(-p)))


def halves(generator):
    """Numbers in [0, 1) of 32 bits, two from each number of NumPy's generator, the lower half first."""
    while True:
        whole = int(generator.random_raw())
        yield from ((whole & 0xFFFFFFFF) / 2**32, (whole >> 32) / 2**32)


def test_a_mask_follows_the_rule_draw_by_draw():
    """Masks of a text, recomputed with NumPy's generator from the rule in words."""
    text = " ".join(LEARNER_LIKE[4:] * 3)
    rows = segment(text).tolist()
    for mask in range(16):
        counter = np.array([0, mask * 16, 0, masks.text_keys(["t"])[0]], np.uint64)
        draws = halves(np.random.Philox(counter=counter, key=[11, masks.TRAINING]))
        expected, i = [], n_skipped(draws)
        while i < len(rows):
            kind, at, n = rows[i]
            draw_of_word = next(draws) if kind == WORD else 1
            if kind != WORD:
                expected.append([kind, at, n])
                i = next((j for j in range(i + 1, len(rows)) if rows[j][0] <= kind), len(rows))
            elif draw_of_word < 0.5:  # an n-gram; twice the draw is uniform and gives its length
                left = next((j for j in range(i, len(rows)) if rows[j][0] != WORD), len(rows)) - i
                k = 1 + int(2 * draw_of_word * min(8, left))
                last = rows[i + k - 1]
                expected.append([NGRAM, at, last[1] + last[2] - at])
                i += k
            else:
                expected.append([WORD, at, n])
                i += 1
            i += n_skipped(draws)
        drawn = by_text(draw([text], seed=11, text_ids=["t"]))[0]
        assert expected in drawn  # a repeated mask is drawn again, so its number may differ


def test_masks_do_not_depend_on_order_or_other_texts():
    together = by_text(draw(LEARNER_LIKE, text_ids=list("abcdef")))
    backwards = by_text(draw(LEARNER_LIKE[::-1], text_ids=list("fedcba")))
    alone = by_text(draw([LEARNER_LIKE[2]], text_ids=["c"]))
    assert together[2] == backwards[3] == alone[0]


def test_masks_do_not_depend_on_the_process():
    code = (
        "import numpy as np; np.random.seed(5); from tests.unit.masking.test_masks import *;"
        "print(by_text(draw(LEARNER_LIKE, seed=3)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = ['.']; {code}"],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77", "PATH": ""},
    )  # fmt: skip
    assert printed.stdout.strip() == str(by_text(draw(LEARNER_LIKE, seed=3)))


@pytest.mark.parametrize("change", [{"seed": 1}, {"purpose": masks.FROZEN["training_mix"]}, {"pass_number": 1}])
def test_seed_purpose_and_pass_each_give_other_masks(change):
    assert by_text(draw(LEARNER_LIKE)) != by_text(draw(LEARNER_LIKE, **change))


def test_spans_are_in_order_inside_the_text_and_never_overlap():
    for text, drawn in by_text(draw(LEARNER_LIKE * 5)).items():
        for mask in drawn:
            at = 0
            for _, offset, length in mask:
                assert offset >= at and length > 0
                at = offset + length
            assert at <= len((LEARNER_LIKE * 5)[text])


def test_a_text_has_each_mask_once_and_the_empty_one_at_most_once():
    for drawn in by_text(draw([*LEARNER_LIKE, "NA"])).values():
        assert len({str(mask) for mask in drawn}) == len(drawn)
        assert drawn.count([]) <= 1


def test_span_types_have_the_shares_that_the_rule_implies():
    """4,000 one-sentence texts of 20 words: expected counts follow from p = .03 for each unit."""
    text = "word " * 19 + "end."  # 20 words and a full stop
    spans = draw([text] * 4000, n_masks=1)[0]
    p = 0.03
    document, paragraph, sentence = p, (1 - p) * p, (1 - p) ** 2 * p
    counts = np.bincount(spans[:, 0], minlength=5)
    simulated = _mean_word_spans(len(segment(text)) - 3)
    expected = 4000 * np.array([document, paragraph, sentence, *(np.array([0.5, 0.5]) * (1 - p) ** 3 * simulated)])
    assert chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3
    assert abs(counts.sum() / expected.sum() - 1) < 0.05


def _mean_word_spans(words, p=0.03):
    """Expected spans in a run of words, by the recursion: skip, or one word, or k of them (k uniform)."""
    mean = [0.0]
    for left in range(1, words + 1):
        longest = min(8, left)
        ngram = np.mean([mean[left - k] for k in range(1, longest + 1)])
        mean.append((1 - p) * mean[left - 1] + p * (1 + 0.5 * mean[left - 1] + 0.5 * ngram))
    return mean[words]


def test_ngram_lengths_are_uniform_up_to_eight_words():
    text = " ".join(["word"] * 60)
    spans = draw([text] * 3000, n_masks=1)[0]
    spans = spans[(spans[:, 0] == NGRAM) & (spans[:, 1] < 5 * 50)]  # far enough from the end for eight words
    lengths = (spans[:, 2] + 1) // 5
    assert set(lengths) == set(range(1, 9))
    assert chisquare(np.bincount(lengths)[1:]).pvalue > 1e-3
    assert kstest(spans[:, 1] / 250, "uniform").statistic < 0.08


@pytest.mark.parametrize("name", ["word", "ngram", "sentence", "document"])
def test_masks_of_one_span_type_hold_only_that_type(name):
    spans = draw(LEARNER_LIKE * 10, purpose=masks.FROZEN[name], mask_type=name)[0]
    assert len(spans) and set(spans[:, 0]) == {masks.TYPES.index(name)}
