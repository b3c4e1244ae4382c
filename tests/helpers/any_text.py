"""Any text that a learner or a model may have written, as hypothesis draws it."""

from hypothesis import settings
from hypothesis import strategies as st

quickly = settings(derandomize=True, deadline=None, database=None, max_examples=100)


PIECES = ["", " ", "\n", "\x00", "\x1b[31m", "\x0b", "\x85", "\u2028", "\u200b", "\ufeff", "\u202e", "\ufffd"]
PIECES += ["e\u0301\u0323", "\u0301", "İIıß", "👩\u200d💻", "漢字", "עברית", "ไทย", "नमस्ते", "$x^{", "%s", "{0}"]
PIECES += ["'", "''", "``", '"', "’", "7", "....", "a.B", "Mr.", "don't", "cannot", "(", "x).", "["]
PIECES += ["_", "<|endofinfill|>", "&", "<b>", "z" * 25, "x" * 400, "ß" * 300]
LETTERS = st.characters(exclude_categories=["Cs"])  # a half of a character is in no file that could be read


TEXTS = st.one_of(st.text(LETTERS, max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
