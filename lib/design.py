"""The design of the experiment: the CEFR levels, and the names and kinds of its models."""

CEFR = ["A1", "A2", "B1", "B2", "C1", "C2"]
LEVELS = CEFR[:5]  # those with a model; of the last the corpus holds too little
MIXED = "mixed"  # the test column of all levels together
GENERAL = "general"
CONTINUED = "general_longer"  # the control of transfer: the general model, trained as long again on all levels
WHOSE = {"specialised": "own", "general": "general", "transfer": "transfer"}  # what verdicts are about, in words


def own(level):
    """The name of a level's own model."""
    return level.lower()


def transfer(level):
    """The name of the general model that was trained further on a level."""
    return f"{level.lower()}_transfer"


def specialists():
    """The names of the levels' own models, in the order of LEVELS."""
    return [own(level) for level in LEVELS]


def judged(level):
    """The three models that verdicts at a level are about: {own, general, transfer: its name}."""
    return {"own": own(level), "general": GENERAL, "transfer": transfer(level)}


OWN = {own(level): level for level in LEVELS}  # model -> its level
TRANSFER = {transfer(level): level for level in LEVELS}
KIND = dict.fromkeys(OWN, "specialised") | {GENERAL: "general"} | dict.fromkeys(TRANSFER, "transfer")


def kind(model):
    """specialised, general, transfer or control, from a model's name."""
    return KIND.get(model, "control")


def made_for(model):
    """The level that a model was made for, from its name; None for general and the controls."""
    return (OWN | TRANSFER).get(model)


def at_home(models, levels):
    """True where a model is the general one or was made for the level beside it. Both Series, of one index."""
    return (models == GENERAL) | (models.map(made_for) == levels)
