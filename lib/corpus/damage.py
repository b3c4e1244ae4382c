"""Signs of what happened to a text on its way into the file, and first languages in one spelling."""

import unicodedata

from lib.formatting import nearest

# UTF-8 that was read as cp1252: a character's first byte became a letter such as Ã, the next ones these
LATER_BYTE = "[\u0080-\u00bfŠŒŽšœžŸƒ€‚„…†‡ˆ‰‹‘’“”•–—˜™›]"
SIGNS = {
    "curly quotes": "[“”‘’]",
    "two apostrophes for a quotation mark": "''",
    "masked name (xxx)": r"\b[xX]{3,}\b",
    "sentences glued together": r"[a-z][.!?][A-Z][a-z]",
    "emoji": "[\U0001f300-\U0001faff]",
    "letters of other scripts": "[\u0370-\u1cff\u3040-\ud7ff]",
    "direction or zero-width marks": "[\u200b-\u200f\u202a-\u202e\ufeff]",
    "remains of markup": r"</?[A-Za-z]\w*[ />]|<!\[CDATA\[|&[A-Za-z]\w*;|&#\w+;",
    "unreadable character": "\ufffd",
    "encoded twice (donâ€™t)": f"[ÂÃÄÅÐÑ]{LATER_BYTE}|â[\u0080-\u009f€‚]{LATER_BYTE}|ð[Ÿ\u009f]",
    "control characters (C1)": "[\u0080-\u009f]",
}
DAMAGE = ["remains of markup", "unreadable character", "encoded twice (donâ€™t)", "control characters (C1)"]
CONCERN_RATE = 0.01  # of a level's texts: from here on the file seems damaged
MOST_NAMES = 500  # first languages; more are no names, and to compare all would take minutes
ALIKE = 0.85  # likeness of two names, 0 to 1, that may be one language


def count_damage(texts):
    """In what share of a level's texts each sign stands: a frame, a row a level, a column a sign."""
    found = {name: texts["text"].str.contains(sign) for name, sign in SIGNS.items()}
    return texts.assign(**found).groupby("level")[list(SIGNS)].mean()


def fold_spellings(names):
    """A Series of names with those that differ in case, spaces or composed accents as the most frequent of them."""
    counts = names.value_counts().sort_index()
    spellings = {}
    for name, n in counts.items():
        plain = " ".join(unicodedata.normalize("NFC", name).split())
        spellings.setdefault(plain.casefold(), {}).setdefault(plain, []).append((name, n))
    chosen = {}
    for ways in spellings.values():
        best = max(ways, key=lambda way: (sum(n for _, n in ways[way]), way.istitle(), way))
        chosen |= {name: best for same in ways.values() for name, _ in same}
    return names.map(chosen).astype("str")


def near_spellings(names):
    """Pairs of different names that may be one, as Portugese and Portuguese: a list of (name, name); none among
    more than MOST_NAMES names."""
    known = sorted(set(names) - {""})
    if len(known) > MOST_NAMES:
        return []
    found = ((name, nearest(name, known[:n], ALIKE)) for n, name in enumerate(known))
    return [(other, name) for name, other in found if other]
