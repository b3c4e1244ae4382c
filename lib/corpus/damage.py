"""Signs of what happened to a text on its way into the file, and first languages in one spelling."""

import unicodedata

from lib.formatting import nearest

# UTF-8 that was read as cp1252: a character's first byte became a letter such as Ã, the later ones these
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
CONCERN_RATE = 0.01  # of a level's texts: above this rate the file seems damaged
MAX_NAMES = 500  # first languages; longer lists hold no names, and comparing all of them would take minutes
MIN_SIMILARITY = 0.85  # of two names that may be one language, 0 to 1


def count_damage(texts):
    """The share of each level's texts that shows each sign: a frame, a row a level, a column a sign."""
    found = {name: texts["text"].str.contains(pattern) for name, pattern in SIGNS.items()}
    return texts.assign(**found).groupby("level")[list(SIGNS)].mean()


def fold_spellings(names):
    """A Series of names, in which spellings that differ only in case, spaces or composed accents become one.

    The most frequent spelling is kept.
    """
    counts = names.value_counts().sort_index()
    spellings = {}  # folded name -> {spelling: [(name in the file, count)]}
    for name, n in counts.items():
        plain = " ".join(unicodedata.normalize("NFC", name).split())
        spellings.setdefault(plain.casefold(), {}).setdefault(plain, []).append((name, n))
    chosen = {}
    for variants in spellings.values():
        best = max(variants, key=lambda variant: (sum(n for _, n in variants[variant]), variant.istitle(), variant))
        chosen |= {name: best for variant in variants.values() for name, _ in variant}
    return names.map(chosen).astype("str")


def count_spellings(names, folded):
    """{name: number of spellings} of the names that fold_spellings made of two or more. Spaces around do not count."""
    spellings = names.str.split().str.join(" ").groupby(folded).nunique()
    return {name: int(n) for name, n in spellings.items() if name and n > 1}


def near_spellings(names):
    """Pairs of different names that may be one language, as Portugese and Portuguese: a list of (name, name).

    Empty for more than MAX_NAMES names.
    """
    distinct = sorted(set(names) - {""})
    if len(distinct) > MAX_NAMES:
        return []
    pairs = ((nearest(name, distinct[:n], MIN_SIMILARITY), name) for n, name in enumerate(distinct))
    return [(earlier, name) for earlier, name in pairs if earlier]
