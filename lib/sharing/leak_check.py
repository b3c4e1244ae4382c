"""Is anything of the corpus in files that are about to be shared? Their letters are looked up in it.

    make share-check EXPERIMENT=name FILES="file folder"     # without FILES, all that make share takes

A run of NGRAM words that FEW_LEARNERS or more wrote is a phrase, a prompt or a template; one that fewer wrote belongs
to its learners. Texts of SHORTEST_TEXT to 7 words are searched as a whole. Rules and limits: docs/sharing.md.
"""

import hashlib
import os
import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lib.errors import MissingResult
from lib.sharing.leaks.letter_search import SEED, LetterIndex
from lib.sharing.reading import characters, escapes
from lib.sharing.reading.documents import Reader
from lib.sharing.reading.piece import Piece, under
from lib.sharing.reading.views import letters_of, views

FEW_LEARNERS = 5  # from here on a run of words belongs to nobody
FEW_TEXTS = 20  # the same where the learners are unknown
BLOCK = 20_000  # texts
WORD = re.compile(r"[^\W\d_]+")
LEARNER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")  # as 01_extract hashes learner ids
COLUMNS = ["file", "position", "words", "learners", "hash"]


class Source(NamedTuple):
    """A piece of text with the files that contain it."""

    files: tuple
    piece: Piece


def check(paths, texts, learners_known=True, public=(), certified=frozenset(), decode_ids=None):
    """Findings in files and folders: a frame with COLUMNS, a row for each run of words of few learners, each learner id
    and each thing that cannot be read (words, learners and hash are then empty).

    paths: files and folders, of which names are searched too; texts: texts.parquet of the run; public: texts that
    everybody can read already; certified, decode_ids: as in reading.documents.Reader. The position names line and word;
    no text is shown. The hash tells findings apart. Raises MissingResult for a path that does not exist.
    """
    sources = list(_sources(paths, Reader(certified, decode_ids, _text_ids(texts))))
    readable = [source for source in sources if source.piece.text is not None]
    readable = [Source(source.files, _expanded(source.piece)) for source in readable]
    found, index = _index(readable)
    runs, learners = _runs_of_few(texts, index, FEW_LEARNERS if learners_known else FEW_TEXTS)
    runs = _without_public(runs, index, public)
    rows = [*_run_rows(runs, index, found), *_learner_rows(readable, learners)]
    rows += [(file, piece.position, "", "", "") for files, piece in sources if piece.text is None for file in files]
    return pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(ignore_index=True)


def _index(sources):
    """([(source, position of each letter in its text)], LetterIndex) of all views of all sources."""
    found = [(source, view) for source in sources for view in views(source.piece.text, SEED)]
    index = LetterIndex([view for _, view in found])
    return [(source, view.index) for source, view in found], index


def list_files(paths):
    """All files and links in these files and folders. Raises MissingResult for a path that does not exist."""
    for path in paths:
        if not path.exists():
            raise MissingResult(f"There is no file or folder {path} to be checked.")
    found = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [file for file in found if file.is_symlink() or not file.is_dir()]


def _sources(paths, reader):
    """Yield the Sources of all files, each content read once, and of the names of files and folders."""
    same = {}
    for file in list_files(paths):
        reason = _unreadable(file)
        if reason:
            yield Source((file,), Piece(reason, None))
        else:
            same.setdefault(hashlib.sha256(file.read_bytes()).digest(), []).append(file)
    for files in same.values():
        for piece in reader.pieces(files[0].read_bytes()):
            yield Source(tuple(files), piece)
    for path in paths:
        names = [path.name, *(str(file.relative_to(path)) for file in sorted(path.rglob("*")))]
        text = "\n".join(names).encode("utf-8", "replace").decode()
        for piece in under("names of files and folders", reader.names(text)):
            yield Source((path,), piece)


def _unreadable(file):
    """Why something is no ordinary file, or ""."""
    if file.is_symlink():
        return "a link: what it points to may change"
    if not file.is_file():
        return "no ordinary file"
    try:
        attributes = [name for name in os.listxattr(file) if name.startswith("user.")]
    except OSError:  # a file system without them
        attributes = []
    return "it has extended attributes, which the check does not read" if attributes else ""


def _text_ids(texts):
    if "text_id" not in pq.read_schema(texts).names:
        return frozenset()
    return frozenset(map(str, pq.read_table(texts, columns=["text_id"])["text_id"].to_pylist()))


def _expanded(piece):
    return piece._replace(text=characters.expand(piece.text))


def _runs_of_few(texts, index, least):
    """(runs that fewer than `least` learners wrote, all learner ids), from one pass over the corpus.

    runs: a frame with position, n_letters, n_words and learners, a row for each run.
    """
    found, learners = [], set()
    for batch in pq.ParquetFile(texts).iter_batches(BLOCK, columns=["text", "learner_id"]):
        learner = batch["learner_id"].to_pandas().astype(str).to_numpy()
        learners |= set(learner)
        rows = index.search(batch["text"].to_pylist())
        found.append(rows.assign(learner=learner[rows["text"]]).drop_duplicates(["run", "learner"]))
    rows = pd.concat(found)
    first = rows.drop_duplicates("run").set_index("run")[["position", "n_letters", "n_words"]]
    counted = first.assign(learners=rows.groupby("run")["learner"].nunique())
    return counted[counted["learners"] < least], learners


def _without_public(runs, index, public):
    """The runs that are in none of the texts that everybody can read."""
    known = [letters_of(characters.expand(escapes.decode(text))).letters for text in public]
    everything = "\0".join("".join(map(chr, letters)) for letters in known)
    seeds = {everything[at : at + SEED] for at in range(len(everything) - SEED + 1)}
    private = [
        index.text(row.position, SEED) not in seeds or index.text(row.position, row.n_letters) not in everything
        for row in runs.itertuples()
    ]
    return runs[np.array(private, bool)]


def _run_rows(runs, index, found):
    """Rows of COLUMNS: for each file the first occurrence of each run, neighbouring runs as one stretch."""
    hits = []
    for row in runs.itertuples():
        seen = set()
        for position in index.occurrences(row.position, row.n_letters):
            number = index.view_at(position)
            new = set(found[number][0].files) - seen
            seen |= new
            hits += [(str(file), number, position, position + row.n_letters, row, file) for file in new]
    stretch = []
    for hit in sorted(hits, key=lambda hit: hit[:3]):
        if stretch and (hit[:2] != stretch[-1][:2] or hit[2] > stretch[-1][3]):
            yield _stretch_row(stretch, index, found)
            stretch = []
        stretch.append(hit)
    if stretch:
        yield _stretch_row(stretch, index, found)


def _stretch_row(hits, index, found):
    """One row of COLUMNS for runs that overlap."""
    _, number, begin, _, run, file = hits[0]
    source, letters = found[number]
    end = max(hit[3] for hit in hits)
    position = _position(source.piece, letters[begin - index.begins[number]])
    code = hashlib.sha256(index.text(begin, end - begin).encode()).hexdigest()[:8]
    return file, position, run.n_words + len(hits) - 1, min(hit[4].learners for hit in hits), code


def _position(piece, at):
    """Where a character is: the piece, the line and the word in it, from 1 on."""
    line = piece.text.count("\n", 0, at) + 1
    word = len(WORD.findall(piece.text[piece.text.rfind("\n", 0, at) + 1 : at])) + 1
    return ", ".join(filter(None, [piece.position, f"line {line}", f"from word {word} on"]))


def _learner_rows(sources, learners):
    for files, piece in sources:
        text = piece.text.lower()
        for found in sorted(set(LEARNER_ID.findall(text)) & learners):
            line = text.count("\n", 0, text.index(found)) + 1
            position = ", ".join(filter(None, [piece.position, f"line {line}", "a learner's id"]))
            for file in files:
                yield file, position, 1, 1, hashlib.sha256(found.encode()).hexdigest()[:8]


def print_findings(findings, n_files, command):
    """Print what was found, and what to do about it. command: the one that checks again."""
    for file, rows in findings.groupby("file", sort=False):
        print(file)
        for row in rows.itertuples():
            writers = f": {row.words} words that {row.learners} learner(s) wrote [{row.hash}]" if row.hash else ""
            print(f"  {row.position}{writers}")
    if findings.empty:
        print(f"{n_files} files: nothing of the corpus was found in them.")
        return
    print(f"\n{findings['file'].nunique()} of {n_files} files must not be shared. Lines and words count from 1.")
    print("Remove the text at its source (clear the cell's output, print a count instead of a text), or do not share")
    print(f"the file. Then check again: {command}")
