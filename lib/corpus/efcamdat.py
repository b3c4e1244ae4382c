"""Facts about EFCAMDAT: its course levels, and how many texts of what length it has at each CEFR level."""

from lib.design import CEFR

TEXTS = {"A1": 341_155, "A2": 215_344, "B1": 116_539, "B2": 40_238, "C1": 10_006}  # by level
CHARACTERS = {"A1": 187, "A2": 350, "B1": 474, "B2": 702, "C1": 969}  # mean length of a text, by level
EF_LEVELS = {str(number): CEFR[(number - 1) // 3] for number in range(1, 17)}  # 16 course levels, three to a CEFR level
PUBLISHED = {  # texts in the whole cleaned subcorpus (Shatz 2020)
    "level": TEXTS,
    "l1": {
        "Portuguese": 313_538,
        "Mandarin": 129_588,
        "Spanish": 64_763,
        "Russian": 49_321,
        "German": 41_422,
        "Italian": 35_428,
        "French": 32_519,
        "Arabic": 29_308,
        "Japanese": 17_086,
        "Turkish": 10_309,
    },
}


def is_efcamdat(sources, settings):
    """Has every file EFCAMDAT's layout, read with its own names of columns and levels?

    sources: as `reading.read_corpus` returns them. settings: a `schemas.Corpus`.
    """
    names = {source["columns"]["text_id"].lower() for source in sources}
    return names == {"writing_id"} and not settings.columns and not settings.levels
