"""The design of the experiment: the CEFR levels, and the names and kinds of its models."""

LEVELS = ["A1", "A2", "B1", "B2", "C1"]
MIXED = "mixed"  # the test column of all levels together
OWN = {level.lower(): level for level in LEVELS}  # model -> its level
TRANSFER = {f"{level.lower()}_transfer": level for level in LEVELS}
KIND = dict.fromkeys(OWN, "specialised") | {"general": "general"} | dict.fromkeys(TRANSFER, "transfer")


def role(model):
    """(kind, level it was made for) from a model's name; the level is None for general and the controls."""
    level = model.removesuffix("_transfer").upper()
    if level in LEVELS:
        return ("transfer" if model.endswith("_transfer") else "specialised"), level
    return ("general" if model == "general" else "control"), None
