"""The sentences of notebook 01: comparison with expectations, concerns, summary and answer, as Markdown."""

from lib.formatting import Sentences

SAY = Sentences(__file__)
MIN_GROUP = 200  # texts of a level or first language whose balance is judged
MAX_IMBALANCE = {"level": 0.5, "l1": 1.0}  # percentage points from the requested shares
MAX_COPIED = 0.05  # of validation and test texts; more is a concern


def compare_with_expectations(texts_per_level, n_rows, median_words, imbalance, n_copied, n_outside_train, signs):
    """A list of what was expected and what was found.

    texts_per_level, median_words: Series by level. imbalance: {"level" or "l1": largest deviation in percentage points
    among groups of MIN_GROUP texts, NaN without such a group}. n_copied: Series by level, of validation and test texts.
    n_outside_train: number of validation and test texts. signs: as `damage.count_damage` returns it.
    """
    return SAY(
        "expectations",
        lost_share=1 - texts_per_level.sum() / n_rows,
        n_rows=n_rows,
        texts_fall=bool((texts_per_level.diff().dropna() < 0).all()),
        words_rise=bool((median_words.diff().dropna() > 0).all()),
        median_words=[f"{level} {words:g}" for level, words in median_words.items()],
        imbalance=imbalance,
        max_imbalance=MAX_IMBALANCE,
        min_group=MIN_GROUP,
        n_copied=int(n_copied.sum()),
        most_copied=n_copied.idxmax(),
        n_most_copied=int(n_copied.max()),
        n_outside_train=n_outside_train,
        markup=signs["remains of markup"].max(),
        unreadable=signs["unreadable character"].max(),
    )


def list_concerns(**facts):
    """The concerns that these facts raise, one sentence or two each, as a list.

    facts: few_learners, few_prompts (levels), any_known, all_known, n_unnamed, n_texts, two_l1s, two_nationalities
    (numbers of learners), similar_l1s (pairs), unread_sheets, lending_files (names), has_prompts, copied_share,
    damage (names of signs), text_column, formats (of the files).
    """
    return SAY("concerns", max_copied=MAX_COPIED, **facts).splitlines()


def summarize(sources, texts_per_level, concerns, **facts):
    """The letter to a colleague: files, findings, concerns. sources: as `reading.read_corpus` returns them.

    facts: text_column, n_rows, n_words, n_near_duplicates, n_copied, n_outside_train, n_shared_passages, any_known,
    all_known.
    """
    return SAY("summary", sources=sources, sizes=_sizes(texts_per_level), concerns=concerns, **facts)


def answer(test_texts_per_level, **facts):
    """The last line of notebook 01. facts: n_rows, n_texts, n_learners, any_known, all_known, example_texts."""
    return SAY("answer", sizes=_sizes(test_texts_per_level), **facts)


def _sizes(per_level):
    """Total, largest and smallest level with their counts of a Series by level."""
    return {
        "total": int(per_level.sum()),
        "largest": per_level.idxmax(),
        "n_largest": int(per_level.max()),
        "smallest": per_level.idxmin(),
        "n_smallest": int(per_level.min()),
    }
