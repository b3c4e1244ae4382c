"""Which tokens a gain comes from: blanks of whole texts or of single words, function words or content words.

04_evaluate sums -ln p by class of answer token on the training mix. 06_compare estimates theta within each class, and
how much each class contributes to theta over all tokens.
"""

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from lib.design import GENERAL, LEVELS, specialist_of
from lib.evaluation import contrasts, statistics
from lib.evaluation.lexical_metrics import CLITIC, WORD, cefr_level
from lib.evaluation.scoring import KEYS, frozen_examples
from lib.experiment.files import read_yaml
from lib.masking.examples import INFILL, INFILL_SPECIAL
from lib.masking.segmentation import DOCUMENT

BLANKS = ["whole text", "paragraph", "sentence", "n-gram", "single word"]  # the longest first
WORDS = ["function word", "content word", "word not in the list", "no word"]
FUNCTION, CONTENT, UNLISTED, NO_WORD = range(len(WORDS))
AXES = {"blank": BLANKS, "word": WORDS}
WHOLE = 0.9  # share of a text's characters; a longer blank counts as the whole text
COLUMNS = ["text_id", "mask_set", *AXES, "n_tokens", "nll_text"]
FUNCTION_WORDS = frozenset(read_yaml(Path(__file__).with_suffix(".yaml"))["function_words"].split())
RUN = ["model", "seed", "level", "learner"]


@functools.cache
def of_word(word):
    """Position in WORDS of a word: function words are in a list of closed classes, others may be in cefrpy's list."""
    word = word.lower().replace("’", "'")
    if word in FUNCTION_WORDS or CLITIC.sub("", word) in FUNCTION_WORDS:
        return FUNCTION
    return UNLISTED if cefr_level(word) == "unlisted" else CONTENT


def of_tokens(text, ends):
    """Position in WORDS of each token: that of the word which its last character is part of.

    ends: int [tokens], where each token ends in the text; a leading space belongs to a token. Returns int32 [tokens].
    """
    of_characters = np.full(len(text) + 1, NO_WORD, np.int32)
    for match in WORD.finditer(text):
        of_characters[match.start() : match.end()] = of_word(match.group())
    return of_characters[np.maximum(np.asarray(ends, int), 1) - 1]


def of_blanks(masks, lengths):
    """Position in BLANKS of each span. masks: of masks/<split>.parquet; lengths: characters of the spans' texts."""
    whole = masks["char_length"].to_numpy() > WHOLE * lengths
    return np.where(whole, 0, np.maximum(masks["span_type"].to_numpy(), DOCUMENT + 1))


def of_answers(texts, index, masks, first_special):
    """Class of each answer token of frozen masks, a pair of positions in BLANKS and WORDS as one number.

    texts: text_id, text of the masked texts; the others as in `scoring.frozen_examples`, in whose order the masks are.
    Returns a list of int arrays [answer tokens], one a mask.
    """
    text_of = texts.set_index("text_id")["text"]
    index = index[index["text_id"].isin(text_of.index)]
    rows = zip(text_of.reindex(index["text_id"]), index["ends"], strict=True)
    words = [of_tokens(text, ends) for text, ends in rows]
    _, codes, roles = frozen_examples(index.assign(ids=words), masks, first_special)  # class codes in place of tokens
    masks = masks.sort_values([*KEYS, "char_offset"])
    blanks = of_blanks(masks, text_of.str.len().reindex(masks["text_id"]).to_numpy())
    found = []
    n_spans = 0
    for code, role in zip(codes, roles, strict=True):
        span = n_spans + np.cumsum(role == INFILL_SPECIAL)[role == INFILL]  # each span ends with one special token
        found.append(blanks[span] * len(WORDS) + code[role == INFILL])
        n_spans += np.count_nonzero(role == INFILL_SPECIAL)
    return found


class ClassSums:
    """Sums of -ln p by class, a row a masked text, to which `scoring.score` adds the losses of each batch."""

    def __init__(self, classes):
        """classes: as `of_answers` returns them."""
        self.classes = classes
        self.nll = np.zeros((len(classes), len(BLANKS) * len(WORDS)))

    def add(self, numbers, losses):
        """numbers: of masked texts, in order; losses: of all their answer tokens, one text after the other."""
        classes = [self.classes[number] for number in numbers]
        rows = np.repeat(numbers, [len(found) for found in classes])
        np.add.at(self.nll, (rows, np.concatenate(classes)), losses)

    def table(self, keys):
        """COLUMNS of the training mix, a row for each masked text and class that it has. keys: of the masked texts."""
        counts = np.zeros(self.nll.shape, int)
        for i in np.flatnonzero(keys["mask_type"] == "training_mix"):
            counts[i] = np.bincount(self.classes[i], minlength=counts.shape[1])
        row, code = np.nonzero(counts)
        blank, word = np.divmod(code, len(WORDS))
        table = keys.iloc[row][["text_id", "mask_set"]].reset_index(drop=True)
        sums = {"n_tokens": counts[row, code], "nll_text": self.nll[row, code]}
        return table.assign(blank=np.array(BLANKS)[blank], word=np.array(WORDS)[word], **sums)[COLUMNS]


def by_class(scored, texts, learners_known, options):
    """general_vs_specialist in each class of tokens, and what each class contributes to theta over all tokens.

    scored: COLUMNS with model and seed; texts: text_id, learner_id, level, copied, held_out; options: keywords of
    `contrasts.estimate`. Returns its rows with by, group, token_share, contribution (to theta, in nats) with its
    interval, and theta_share. Contributions of one `by` add up to theta. theta_share is NaN where the interval of theta
    contains 0. Where few learners have a class, its theta is NaN, but its contribution is not. Copied texts and
    held-out prompts are left out.
    """
    facts = texts[["text_id", "learner_id", "level", "copied", "held_out"]]
    rows = scored.merge(facts, on="text_id", validate="m:1")
    rows = rows[~(rows["copied"].astype(bool) | rows["held_out"].astype(bool))]
    codes, known = statistics.learner_codes(rows, learners_known)
    rows = rows.assign(learner=codes)
    everything = _sums(rows)
    whole = _estimates(everything, "all tokens", known, options)
    tables = []
    for by, groups in AXES.items():
        for group in groups:
            in_class = _sums(rows[rows[by] == group])
            within = _estimates(in_class, f"{by}: {group}", known, options)
            of_all = in_class.reindex(everything.index, fill_value=0).assign(n_tokens=everything["n_tokens"])
            part = _estimates(of_all, f"{by}: {group}", known, options)
            share = _token_shares(in_class, everything)
            tables.append(_with_parts(within, part, whole).assign(by=by, group=group, token_share=share))
    return pd.concat(tables, ignore_index=True)


def _sums(rows):
    return rows.groupby(RUN)[["nll_text", "n_tokens"]].sum()


def _token_shares(in_class, everything):
    """Which share of the tokens of each level is in a class, a list by level. Both: nll_text and n_tokens by RUN."""
    totals = everything["n_tokens"].groupby("level").sum()
    n_tokens = in_class["n_tokens"].groupby("level").sum().reindex(totals.index, fill_value=0)
    return list((n_tokens / totals).reindex(LEVELS))


def _estimates(sums, subset, known, options):
    """general_vs_specialist at each level. sums: nll_text and n_tokens by RUN."""
    found = statistics.LearnerSums(sums.reset_index(), "training_mix", subset, known)
    pairs = {level: [("general_vs_specialist", GENERAL, specialist_of(level))] for level in LEVELS}
    return contrasts.estimate_all(found, pairs, **options)


def _with_parts(within, part, whole):
    """Rows within a class, beside its contribution (part) to theta over all tokens (whole). A row a level, each."""
    sided = (whole["ci_lo"] > 0) | (whole["ci_hi"] < 0)
    return within.assign(
        contribution=part["theta"],
        contribution_lo=part["ci_lo"],
        contribution_hi=part["ci_hi"],
        theta_share=(part["theta"] / whole["theta"]).where(sided),
    )


def by_class_and_unit(scored, sums, texts, learners_known, options):
    """by_class.csv: the rows of `by_class`, then those of `by_unit`."""
    classes = by_class(scored, texts, learners_known, options)
    return pd.concat([classes, by_unit(sums, options)], ignore_index=True)


def by_unit(sums, options):
    """general_vs_specialist in nats per token, per word and per character: its rows, with by="unit", group and
    tokens_per_unit. sums: LearnerSums of the primary analysis; options: keywords of `contrasts.estimate`."""
    tables = []
    for unit in statistics.UNITS:
        rows = _estimates(statistics.per_unit(sums, unit).table, f"per {unit}", sums.learners_known, options)
        tables.append(rows.assign(by="unit", group=unit))
    table = pd.concat(tables, ignore_index=True)
    n_tokens = table[table["group"] == "token"].set_index("level")["n_tokens"]
    return table.assign(tokens_per_unit=table["level"].map(n_tokens) / table["n_tokens"])
