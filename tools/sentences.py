"""Mean and longest sentence, in words, of the README and the documentation. Usage: python tools/sentences.py [file ...]

Sentences are those of running text, list items and footnotes. Code, tables and headings are left out.
"""

import re
import sys
from pathlib import Path

FENCED = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.|\[\^\w+\]:) ")
CODE = re.compile(r"`[^`\n]*`")
END = re.compile(r"(?<=[.?!])[\"')*]*\s+(?=[\"'(*]*[A-Z0-9]|CODE)")  # "e.g. this" goes on


def pages():
    return [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]


def paragraphs(text):
    """Running text of a Markdown page: one string for each paragraph and list item, code spans as the word CODE."""
    text = CODE.sub("CODE", LINK.sub(r"\1", COMMENT.sub("", FENCED.sub("", text))))
    found = [""]
    for line in text.splitlines():
        no_prose = line.startswith(("#", "|")) or (line.startswith("    ") and not found[-1])
        if not line.strip() or no_prose:
            found.append("")
        elif ITEM.match(line):
            found.append(ITEM.sub("", line))
        else:
            found[-1] += f" {line.strip()}"
    return [re.sub(r"\[\^\w+\]", "", paragraph).strip() for paragraph in found if paragraph.strip()]


def sentences(text):
    return [sentence for paragraph in paragraphs(text) for sentence in END.split(paragraph)]


def length(sentence):
    return len([word for word in sentence.split() if re.search(r"\w", word)])


def statistics(text):
    """(number of sentences, mean length, length of the longest, the longest itself)"""
    found = sentences(text)
    longest = max(found, key=length)
    return len(found), sum(map(length, found)) / len(found), length(longest), longest


def main():
    print(f"{'page':32}{'sentences':>10}{'mean':>7}{'longest':>9}")
    for page in map(Path, sys.argv[1:]) if sys.argv[1:] else pages():
        n, mean, most, sentence = statistics(page.read_text(encoding="utf-8"))
        print(f"{str(page):32}{n:>10}{mean:>7.1f}{most:>9}  {sentence[:60]}")


if __name__ == "__main__":
    main()
