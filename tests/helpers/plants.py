"""Plants: a learner's sentence in the containers, disguises and splittings that people or programs make of it.

The generators yield (name, file name, content). The parts of a name are container, and disguise or splitting.
"""

import base64
import codecs
import html
import json
import quopri
import unicodedata
import urllib.parse

import nbformat
import pandas as pd

from tests.helpers.planted_files import PDFS, READABLE_BINARY, REFUSED

HOMOGLYPHS = str.maketrans("aeopcxyiAEOPCXHKMTB", "аеорсхуіАЕОРСХНКМТВ")  # Cyrillic
GREEK = str.maketrans("ovuAEIKMNOPTY", "ονυΑΕΙΚΜΝΟΡΤΥ")
TAGS = ["PRON", "NOUN", "VERB", "ADJ", "NOUN", "ADP"]
FILLERS = [f"{first}{second}" for first in ["al", "bet", "gam", "del"] for second in ["pha", "ter", "mon", "ron"]]


def shifted(text, first_capital, first_small):
    """Letters of ASCII moved to another alphabet of 26 letters."""
    table = {ord("A") + n: first_capital + n for n in range(26)} | {ord("a") + n: first_small + n for n in range(26)}
    return text.translate(table)


def small_capitals(text):
    names = {letter: f"LATIN LETTER SMALL CAPITAL {letter.upper()}" for letter in "abcdeghijklmnoprtuvwyz"}
    return "".join(unicodedata.lookup(names[letter]) if letter in names else letter for letter in text.lower())


def within_words(text, before, after):
    """The middle letter of each word between two marks."""
    return " ".join(f"{word[:1]}{before}{word[1:2]}{after}{word[2:]}" for word in text.split())


def between_letters(text, mark):
    return " ".join(mark.join(word) for word in text.split())


def irregular(text):
    """The words, with a number of other words between them that follows no rule."""
    return " ".join(f"{word} {' '.join(FILLERS[: n * n % 5])}" for n, word in enumerate(text.split(), 1))


def encoded(encode):
    return lambda text: encode(text.encode()).decode()


DISGUISES = {  # name: function of a text
    "plain": str,
    "capitals": str.upper,
    "full width": lambda text: shifted(text, 0xFF21, 0xFF41),
    "mathematical bold": lambda text: shifted(text, 0x1D400, 0x1D41A),
    "circled": lambda text: shifted(text, 0x24B6, 0x24D0),
    "negative squared": lambda text: shifted(text.upper(), 0x1F170, 0),
    "invisible tags": lambda text: "".join(chr(0xE0000 + ord(letter)) for letter in text),
    "small capitals": small_capitals,
    "Cyrillic letters": lambda text: text.translate(HOMOGLYPHS),
    "Greek letters": lambda text: text.translate(GREEK),
    "accents": lambda text: between_letters(text, "\u0301"),
    "many marks": lambda text: between_letters(text, "\u0334\u0353\u0301"),
    "zero-width spaces": lambda text: between_letters(text, "\u200b"),
    "soft hyphens": lambda text: between_letters(text, "\u00ad"),
    "variation selectors": lambda text: between_letters(text, "\ufe0f"),
    "Hangul fillers": lambda text: between_letters(text, "\u3164"),
    "right to left": lambda text: f"\u202e{text}\u202c",
    "spaced letters": lambda text: " ".join(text),
    "no spaces": lambda text: text.replace(" ", ""),
    "camel case": lambda text: "".join(map(str.capitalize, text.split())),
    "underscores": lambda text: text.replace(" ", "_"),
    "Markdown emphasis": lambda text: within_words(text, "**", "**"),
    "LaTeX emphasis": lambda text: within_words(text, r"\emph{", "}"),
    "HTML emphasis": lambda text: within_words(text, "<b>", "</b>"),
    "hyphenated": lambda text: within_words(text, "-\n", ""),
    "HTML entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "entities twice": lambda text: html.escape("".join(f"&#x{ord(letter):x};" for letter in text)),
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "byte escapes": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "percent": lambda text: "".join(f"%{ord(letter):02X}" for letter in text),
    "quoted printable": lambda text: quopri.encodestring(text.replace("e", "é").encode()).decode(),
    "base64": encoded(base64.b64encode),
    "base64 lines": encoded(lambda content: base64.encodebytes(b"A note, and then: " + content)),
    "hexadecimal": lambda text: text.encode().hex(),
    "coloured": lambda text: "".join(f"\x1b[3{n % 8}m{word}\x1b[0m " for n, word in enumerate(text.split())),
}
UNCLAIMED = {  # name: (function, how docs/sharing.md names it)
    "ROT13": (lambda text: codecs.encode(text, "rot13"), "letters replaced by a rule"),
    "leetspeak": (lambda text: text.translate(str.maketrans("aeos", "4305")), "digits in place of letters"),
    "backwards": (lambda text: text[::-1], "letters in another order"),
    "irregular fillers": (irregular, "words between others at irregular distances"),
    "base32": (encoded(base64.b32encode), "encodings other than base64"),
}


def rows(text, form):
    """form, with {n} a number, {word} and {tag}, for each word in a line of its own."""
    words = text.split()
    return "\n".join(form.format(n=n, word=word, tag=TAGS[n % 6], more=FILLERS[n]) for n, word in enumerate(words, 1))


def table(text):
    return pd.DataFrame({"word": text.split(), "tag": [TAGS[n % 6] for n in range(len(text.split()))]})


def joined(text, form):
    return rows(text, form).replace("\n", " ")


SPLITTINGS = {  # name: function of a text
    "a word a line": lambda text: rows(text, "{word}"),
    "numbered words": lambda text: rows(text, "{n}. {word}"),
    "CoNLL": lambda text: rows(text, "{n}\t{word}\t_\t{tag}\t{more}"),
    "aligned columns": lambda text: rows(text, "{n:<4} {word:<14} {tag:<6} {more}"),
    "commas": lambda text: rows(text, '{n},"{word}",{tag},{more}'),
    "semicolons": lambda text: rows(text, "{n};{more};{word};{tag}"),
    "Markdown table": lambda text: rows(text, "| {n} | {word} | {more} |"),
    "LaTeX table": lambda text: rows(text, r"{n} & {word} & \textit{{{more}}} \\"),
    "slash tags": lambda text: joined(text, "{word}/{tag}"),
    "underscore tags": lambda text: joined(text, "{word}_{tag}"),
    "every second word": lambda text: joined(text, "{more} {word}"),
    "every fourth word": lambda text: joined(text, "{more} x{more} {word} y{more}"),
    "numbers between": lambda text: joined(text, "{word} {n}"),
    "a letter a line": lambda text: "\n".join(text.replace(" ", "")),
    "word pieces": lambda text: " ".join(f"{word[:3]} ##{word[3:]}" for word in text.split()),
    "byte-pair pieces": lambda text: repr([piece for word in text.split() for piece in (f"Ġ{word[:2]}", word[2:])]),
    "sentence pieces": lambda text: " ".join(f"▁{word[:4]} {word[4:]}" for word in text.split()),
    "list of words": lambda text: repr(text.split()),
    "constructors": lambda text: ", ".join(f"Token(text={word!r}, pos='X')" for word in text.split()),
    "objects": lambda text: json.dumps([{"id": n, "w": word, "x": "NN"} for n, word in enumerate(text.split())]),
    "columns of JSON": lambda text: table(text).to_json(orient="columns"),
    "keys of JSON": lambda text: json.dumps({f"{word}": n for n, word in enumerate(text.split())}),
    "YAML list": lambda text: rows(text, "- {word}"),
    "spans": lambda text: joined(text, '<span class="w{n}">{word}</span>'),
    "pandas HTML": lambda text: table(text).to_html(),
    "pandas text": lambda text: table(text).to_string(),
    "attributes": lambda text: joined(text, '<i title="{word}">{n}</i>'),
    "character codes": lambda text: ", ".join(str(ord(letter)) for letter in text),
    "character codes a line": lambda text: "\n".join(f"{n},{ord(letter)}" for n, letter in enumerate(text)),
    "backwards by words": lambda text: " ".join(reversed(text.split())),
}


def notebook(text, kind="stream"):
    outputs = {
        "stream": [nbformat.v4.new_output("stream", text=f"result\n{text}\n")],
        "html": [nbformat.v4.new_output("display_data", {"text/html": f"<p>{text}</p>"})],
        "words": [nbformat.v4.new_output("stream", text=word) for word in text.split()],
        "error": [nbformat.v4.new_output("error", ename="E", evalue="", traceback=text.split())],
    }
    cell = nbformat.v4.new_code_cell("print(1)", outputs=outputs[kind])
    return json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Why?"), cell]))


def csv_of(text):
    return pd.DataFrame({"n": [1], "note": [text]}).to_csv(index=False)


TEXT_CONTAINERS = {  # suffix: function of a text
    "txt": lambda text: f"A note: {text}\n",
    "md": lambda text: f"# A model\n\n> {text}\n",
    "tex": lambda text: f"\\section{{Results}}\n{text}\n\\end{{document}}\n",
    "html": lambda text: f"<!doctype html><title>x</title><p>{text}</p>",
    "svg": lambda text: f'<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>',
    "json": lambda text: json.dumps({"levels": {"A1": text}}),
    "csv": csv_of,
    "ipynb": notebook,
}


def svg(text):
    return TEXT_CONTAINERS["svg"](text)


OTHER_TEXT = {  # file name: function of a text
    "notebook's HTML.ipynb": lambda text: notebook(text, "html"),
    "notebook's words.ipynb": lambda text: notebook(text, "words"),
    "notebook's error.ipynb": lambda text: notebook(text, "error"),
    "attribute.html": lambda text: f"<title>x</title><img alt='{text}'>",
    "comment.html": lambda text: f"<title>x</title><!-- {text} -->",
    "script.html": lambda text: f"<title>x</title><script>var a={json.dumps(text.split())}</script>",
    "style.html": lambda text: f"<style>p::after {{ content: '{text}' }}</style>",
    "data uri.html": lambda text: (
        f"<img src='data:image/svg+xml;base64,{base64.b64encode(svg(text).encode()).decode()}'>"
    ),
    "quoted uri.md": lambda text: f"![](data:image/svg+xml,{urllib.parse.quote(svg(text))})",
    "lines.jsonl": lambda text: "\n".join(json.dumps({"n": n, "w": word}) for n, word in enumerate(text.split())),
    "torn.json": lambda text: json.dumps({"a": text})[:-1],
    "key.json": lambda text: json.dumps({text: 1}),
    "in a string.json": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "code.py": lambda text: f"x = 1  # {text}\n",
    "log.log": lambda text: rows(text, "2026-01-01 00:00:{n:02} INFO {word}"),
    "transposed.csv": lambda text: ",".join(text.split()) + "\n" + ",".join("1" for _ in text.split()),
    "no suffix": lambda text: text,
    "page.png": lambda text: text,
    "entity.svg": lambda text: f'<!DOCTYPE svg [<!ENTITY a "x">]><svg><text>{text}&a;</text></svg>',
}


def with_disguises(sentence):
    """Every disguise in every text container."""
    for suffix, container in TEXT_CONTAINERS.items():
        for name, disguise in DISGUISES.items():
            if not (name == "HTML emphasis" and suffix == "svg"):  # which is no SVG
                yield f"{suffix}, {name}", f"{name}.{suffix}", container(disguise(sentence))


def with_splittings(sentence):
    """Every splitting in three text containers, and a disguise in every splitting."""
    for name, split in SPLITTINGS.items():
        for suffix in ["txt", "json", "ipynb"]:
            yield f"{suffix}, {name}", f"{name}.{suffix}", TEXT_CONTAINERS[suffix](split(sentence))
        yield f"md, Cyrillic letters, {name}", f"{name}.md", split(DISGUISES["Cyrillic letters"](sentence))
        yield f"as it is, {name}", f"{name}.dat", split(sentence)


def with_containers(sentence):
    """The plain sentence in containers that the check reads."""
    for name, container in (OTHER_TEXT | READABLE_BINARY).items():
        yield f"{name}, plain", name, container(sentence)
    for name, container in PDFS.items():
        yield f"PDF, {name}", f"{name}.pdf", container(sentence)


def in_refused(sentence):
    """The plain sentence in containers that the check refuses."""
    for name, container in REFUSED.items():
        yield f"{name}, plain", name, container(sentence)


def unclaimed(sentence):
    """Disguises that the check does not claim to find."""
    for name, (disguise, _) in UNCLAIMED.items():
        yield f"txt, {name}", f"{name}.txt", disguise(sentence)
