"""The design of the experiment: the CEFR levels, and the names and kinds of its models."""

CEFR = ["A1", "A2", "B1", "B2", "C1", "C2"]
LEVELS = CEFR[:5]  # those with a model; of the last the corpus holds too little
ALL_LEVELS = "all_levels"  # the test column of all levels together
GENERAL = "general"
CONTINUED = "general_continued"  # the control of transfer: the general model, trained as long again on all levels
KINDS = ["specialist", "general", "transfer"]  # of the models that the hypotheses compare; the others are controls


def specialist_of(level):
    """The name of a level's own model."""
    return level.lower()


def transfer_of(level):
    """The name of the general model that was trained further on a level."""
    return f"{level.lower()}_transfer"


def specialists():
    """The names of the levels' own models, in the order of LEVELS."""
    return [specialist_of(level) for level in LEVELS]


def compared_at(level):
    """The three models that verdicts at a level are about: {own, general, transfer: its name}."""
    return {"specialist": specialist_of(level), "general": GENERAL, "transfer": transfer_of(level)}


SPECIALIST_LEVEL = {specialist_of(level): level for level in LEVELS}  # model -> its level
TRANSFER_LEVEL = {transfer_of(level): level for level in LEVELS}
KIND = dict.fromkeys(SPECIALIST_LEVEL, "specialist") | {GENERAL: "general"} | dict.fromkeys(TRANSFER_LEVEL, "transfer")


def kind(model):
    """specialised, general, transfer or control, from a model's name."""
    return KIND.get(model, "control")


def level_of(model):
    """The level that a model was made for, from its name; None for general and the controls."""
    return (SPECIALIST_LEVEL | TRANSFER_LEVEL).get(model)


def in_level(models, levels):
    """True where a model is the general one or was made for the level beside it. Both Series, of one index."""
    return (models == GENERAL) | (models.map(level_of) == levels)
