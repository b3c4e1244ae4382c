"""How `pytest --nbval` compares results that other processors change a little: cells tagged nbval-tolerance.

Words and whole numbers must agree. Decimals may differ by 1 % or by one in their last place, and per cents by one.
Durations are not compared. In no cell is the note compared that a finished result stays as it is.
"""

import re

TAG = "nbval-tolerance"
RELATIVE = 0.01
NOTE = re.compile(r".*stays as it is.*\n")  # lib.experiment.notebook.STAYS
DURATION = re.compile(r"\d[\d.,]* (seconds?|minutes?|hours?)")
NUMBER = re.compile(r"\d[\d,]*\.\d+(?:e[-+]?\d+)?|\d[\d,]*(?= ?%)")


def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "compare_outputs"):
            item.compare_outputs = comparison(item.compare_outputs, TAG in item.cell.metadata.get("tags", []))


def comparison(compare, tolerant):
    """nbval's comparison of a cell's outputs, without notes. tolerant: after near outputs were made equal."""

    def compare_outputs(test, ref, *more, **options):
        test = [without_notes(output) for output in test]
        test = [output for output in test if output.get("text") != ""]
        if tolerant and len(test) == len(ref):
            test = [adopt(*pair) for pair in zip(test, ref, strict=True)]
        return compare(test, ref, *more, **options)

    return compare_outputs


def without_notes(output):
    if "text" not in output:
        return output
    return type(output)(output, text=NOTE.sub("", output["text"]))


def adopt(test, ref):
    """test with the text of ref wherever the two are near. Both: an output, a part of one, or its text."""
    if isinstance(test, dict) and isinstance(ref, dict):
        return type(test)({key: adopt(value, ref[key]) if key in ref else value for key, value in test.items()})
    if isinstance(test, str) and isinstance(ref, str) and is_near(test, ref):
        return ref
    return test


def is_near(text, other):
    """Do two texts agree but for numbers that are near, durations and spaces?"""
    text, other = (DURATION.sub("TIME", each) for each in (text, other))
    if "".join(NUMBER.sub("#", text).split()) != "".join(NUMBER.sub("#", other).split()):
        return False
    pairs = zip(NUMBER.findall(text), NUMBER.findall(other), strict=True)
    return all(is_near_number(*pair) for pair in pairs)


def is_near_number(number, other):
    value, other_value = (float(each.replace(",", "")) for each in (number, other))
    decimals = re.sub(r"e.*", "", other).partition(".")[2]
    last_place = 0 if "e" in other else 1.001 * 10 ** -len(decimals)
    return abs(value - other_value) <= max(RELATIVE * abs(other_value), last_place)
