"""Which column of an unknown file may be which: proposals by name and by content, for a user to check.

Nothing here decides what a study reads. A proposal becomes an entry under `columns:` in corpus.yaml only by hand.
"""

import re
from dataclasses import dataclass, field

from lib.corpus.column_mapping import COLUMNS, fold_name
from lib.corpus.learners import blank_unknown
from lib.corpus.levels import FILL_IN, named_level

# name here -> names that other corpora give this column, the most telling first
OTHER_NAMES = {
    "text_id": "essay_id answer_id document_id doc_id file_id text_id_kaggle response_id script_id submission_id uid",
    "learner_id": "student_id student learner anon_id author_id author writer_id writer user_id user participant_id "
    "participant candidate_id candidate subject_id subject speaker_id speaker person_id student_code learner_code",
    "level": "humannotator_cefr_level automarked_cefr_level level_cefr level_id proficiency_level proficiency "
    "language_level english_level overall",
    "l1": "native_language first_language mother_tongue native_lang home_language l1_language 1st_language "
    "language_background",
    "nationality": "country_of_origin country",
    "topic_id": "prompt_id prompt prompt_name question_id question task_id task assignment_id",
    "text": "full_text text essay_text essay answer_text answer response writing content body raw_text transcript",
}
# words in the name of an unused column that should not be overlooked
TELLING_WORDS = {
    "learner_id": {"student", "learner", "anon", "author", "writer", "user", "participant", "candidate", "pupil"},
    "l1": {"l1", "native", "mother", "firstlanguage"},
}
LEARNER_WORDS = {"student", "learner", "writer", "author", "user", "participant"}
ID_WORDS = {"no", "nr", "num", "number", "id", "code", "key", "hash"}  # "Student no." names the learner
NO_ID = {"age", "gender", "sex", "grade", "year", "years", "score", "name", "count", "type", "group", "level"}
LANGUAGE_NAMES = (
    "albanian arabic bengali bulgarian burmese cantonese catalan chinese croatian czech danish dutch english estonian "
    "farsi finnish french georgian german greek gujarati hebrew hindi hungarian indonesian italian japanese kazakh "
    "khmer korean lao latvian lithuanian malay mandarin mongolian nepali norwegian persian polish portuguese punjabi "
    "romanian russian serbian slovak slovenian somali spanish swahili swedish tagalog tamil telugu thai turkish "
    "ukrainian urdu uzbek vietnamese"
)
LANGUAGES = set(LANGUAGE_NAMES.split())
MOSTLY = 0.8  # share of cells from which on a column's content is that of levels, or of languages
MIN_TEXT = 20  # characters of the mean text; shorter cells are no texts


@dataclass
class Proposals:
    """columns: {name here: position in the header}. reasons: {name here: "name", "similar name" or "content"}.
    suspects: {position of an unused column: name here that it looks like}."""

    columns: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)
    suspects: dict = field(default_factory=dict)

    def add(self, column, position, reason):
        self.columns[column] = position
        self.reasons[column] = reason


def propose_columns(header, sample, settings):
    """Proposals for one table. header: names; sample: a frame of str with a column for each, by number.

    Columns that `settings.columns` names, or whose names 01 accepts anyway, come first. Others are proposed by a name
    that other corpora use, and levels, texts and text ids by content.
    """
    names = [fold_name(str(name).strip()) for name in header]
    proposals = Proposals()
    for column, accepted in COLUMNS.items():
        wanted = [settings.columns[column]] if column in settings.columns else accepted
        if column == "text" and column not in settings.columns:
            wanted = [settings.text_column]
        _propose_by_name(proposals, column, wanted, names, "name")
    _prefer_cefr(proposals, names, settings)
    for column, others in OTHER_NAMES.items():
        _propose_by_name(proposals, column, others.split(), names, "similar name")
    _propose_by_content(proposals, sample)
    _propose_learners(proposals, header)
    _add_suspects(proposals, header, sample)
    return proposals


def _propose_by_name(proposals, column, wanted, names, reason):
    for name in wanted:
        free = [n for n, other in enumerate(names) if other == fold_name(name) and n not in proposals.columns.values()]
        if free and column not in proposals.columns:
            proposals.add(column, free[0], reason)


def _prefer_cefr(proposals, names, settings):
    """A column called level gives way to one whose name contains CEFR."""
    position = proposals.columns.get("level")
    with_cefr = [n for n, name in enumerate(names) if "cefr" in name and n not in proposals.columns.values()]
    if with_cefr and "level" not in settings.columns and (position is None or names[position] == "level"):
        known = [fold_name(name) for name in OTHER_NAMES["level"].split()]
        best = min(with_cefr, key=lambda n: known.index(names[n]) if names[n] in known else len(known))
        proposals.add("level", best, "similar name")


def _propose_by_content(proposals, sample):
    tests = {"level": holds_levels, "text": _holds_texts, "text_id": _holds_ids, "l1": holds_languages}
    for column, test in tests.items():
        free = [n for n in sample.columns if n not in proposals.columns.values() and test(sample[n])]
        if column in proposals.columns or not free:
            continue
        if column == "text":
            free.sort(key=lambda n: -sample[n].str.len().mean())
        proposals.add(column, free[0], "content")


def _propose_learners(proposals, header):
    """The one unused column whose name is a learner word and a word for a number or id, in any order."""
    free = [n for n, name in enumerate(header) if n not in proposals.columns.values() and _names_learners(name)]
    if len(free) == 1 and "learner_id" not in proposals.columns:
        proposals.add("learner_id", free[0], "similar name")


def _names_learners(name):
    words = set(re.findall(r"[a-z]+", str(name).lower()))
    return bool(words & LEARNER_WORDS) and words <= LEARNER_WORDS | ID_WORDS


def _add_suspects(proposals, header, sample):
    """Unused columns that look like learners, first languages or levels."""
    for position, name in enumerate(header):
        if position in proposals.columns.values():
            continue
        words = set(re.findall(r"[a-z]+|l1", str(name).lower().replace("first_language", "firstlanguage")))
        for column, telling in TELLING_WORDS.items():
            if words & telling and not words & NO_ID:
                proposals.suspects[position] = column
        if holds_languages(sample[position]):
            proposals.suspects[position] = "l1"
        if holds_levels(sample[position]):
            proposals.suspects[position] = "level"


def holds_levels(cells):
    """Do most cells that are not empty name one CEFR level?"""
    known = _known(cells)
    return len(known) > 0 and (known.map(named_level) != FILL_IN).mean() >= MOSTLY and _mean_length(known) < MIN_TEXT


def holds_languages(cells):
    """Are most cells that are not empty names of languages?"""
    known = _known(cells)
    return len(known) > 0 and known.str.strip().str.casefold().isin(LANGUAGES).mean() >= MOSTLY


def _holds_texts(cells):
    known = _known(cells)
    return len(known) > 0 and _mean_length(known) >= MIN_TEXT and known.str.strip().str.contains(r"\s").mean() > 0.5


def _holds_ids(cells):
    """Has every row a short cell of its own? Numbers 0, 1, 2 in the first column are a data frame's index."""
    return bool(cells.ne("").all() and cells.is_unique and _mean_length(cells) < MIN_TEXT and len(cells) > 1)


def _known(cells):
    known = blank_unknown(cells)
    return known[known != ""]


def _mean_length(cells):
    return cells.str.len().mean()
