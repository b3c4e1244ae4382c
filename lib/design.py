"""The design of the experiment: the CEFR levels, and the names and kinds of its models."""

CEFR = ["A1", "A2", "B1", "B2", "C1", "C2"]
LEVELS = CEFR[:5]  # those with a model; the corpus holds too few texts of C2
ALL_LEVELS = "all_levels"  # the test column of all levels together
GENERAL = "general"
CONTINUED = "general_continued"  # the control of transfer: the general model, trained as long again on all levels
KINDS = ["specialist", "general", "transfer"]  # of the models that the hypotheses compare; the others are controls
WITHOUT = "general_without_"  # how the controls begin that are trained on all levels but one
# how the controls begin that are trained on as many texts as one level has: of all levels in their natural mix, and of
# all levels in equal parts
EQUAL_TEXT = "general_equal_text_"
BALANCED_TEXT = "general_balanced_text_"
# Controls and baselines in plain English. The last two are no models of their own.
CONTROL_NAMES = {
    CONTINUED: "general, trained longer",
    "level_prompted": "general with a level token",
    "initial": "initial weights",
    "general_equal": "general at equal examples",
    "unigram": "unigram baseline",
}


def specialist_of(level):
    """The name of a level's specialist."""
    return level.lower()


def transfer_of(level):
    """The name of the transfer model of a level: the general model, fine-tuned on it."""
    return f"{level.lower()}_transfer"


def specialists():
    """The names of the specialists, in the order of LEVELS."""
    return [specialist_of(level) for level in LEVELS]


def compared_at(level):
    """{kind: model} of the three models that verdicts at a level are about."""
    return {"specialist": specialist_of(level), "general": GENERAL, "transfer": transfer_of(level)}


SPECIALIST_LEVEL = {specialist_of(level): level for level in LEVELS}  # model -> its level
TRANSFER_LEVEL = {transfer_of(level): level for level in LEVELS}
KIND = dict.fromkeys(SPECIALIST_LEVEL, "specialist") | {GENERAL: "general"} | dict.fromkeys(TRANSFER_LEVEL, "transfer")


def kind(model):
    """specialist, general, transfer or control, from a model's name."""
    return KIND.get(model, "control")


def level_of(model):
    """The level that a model was made for, from its name; None for general and the controls."""
    return (SPECIALIST_LEVEL | TRANSFER_LEVEL).get(model)


def equal_text_of(level):
    """The name of the general model that is trained on as many texts as this level has."""
    return EQUAL_TEXT + level.lower()


def balanced_text_of(level):
    """The name of the general model that is trained on as many texts as this level has, levels in equal parts."""
    return BALANCED_TEXT + level.lower()


EQUAL_TEXT_LEVEL = {name_of(level): level for level in LEVELS for name_of in (equal_text_of, balanced_text_of)}


def belongs_to(model, level):
    """Is a model of interest at this level? False for one that was made for another level, also as a control."""
    return (SPECIALIST_LEVEL | TRANSFER_LEVEL | EQUAL_TEXT_LEVEL).get(model, level) == level


def display_name(model):
    """A model's name for figures and sentences: "A1 specialist", "A1 transfer", "general, trained longer"."""
    if model in SPECIALIST_LEVEL:
        return f"{SPECIALIST_LEVEL[model]} specialist"
    if model in TRANSFER_LEVEL:
        return f"{TRANSFER_LEVEL[model]} transfer"
    if model.startswith(WITHOUT):
        return f"general without {model.removeprefix(WITHOUT).upper()}"
    if model in EQUAL_TEXT_LEVEL:
        balanced = ", levels in equal parts" if model.startswith(BALANCED_TEXT) else ""
        return f"general on as many texts as {EQUAL_TEXT_LEVEL[model]}{balanced}"
    return CONTROL_NAMES.get(model, model)


def in_level(models, levels):
    """True where a model is the general one or was made for the level beside it. Both Series, of one index."""
    return (models == GENERAL) | (models.map(level_of) == levels)
