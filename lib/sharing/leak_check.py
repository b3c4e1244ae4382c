"""Does anything of the corpus stand in files that are about to leave? Word 8-grams of the files, looked up in it.

    make share-check EXPERIMENT=name FILES="file folder"     # without FILES, all that make share takes

The files' 8-grams are hashed first; then the corpus streams past once, and only hashes that are in the files are
kept, with the learners who wrote them. A run of words that FEW learners or more wrote is a phrase, a prompt or a
template; one that fewer wrote is somebody's. Texts of WHOLE to 7 words have no 8-gram and are looked for as a whole.
"""

import hashlib
import io
import json
import re
import subprocess
import tarfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lib.corpus import split
from lib.corpus.near_duplicates import word_ngrams
from lib.errors import MissingResult
from lib.sharing import text_extraction

FEW = 5  # learners: from here on a run of words is nobody's own
FEW_TEXTS = 20  # the same where nobody says who wrote which text
WHOLE = 5  # words; a shorter text says too little, and would be found in any prose
LENGTHS = range(WHOLE, split.NGRAM + 1)
BLOCK = 20_000  # texts
WORD = re.compile(r"[^\W_]+")
LEARNER = re.compile(r"\b[0-9a-f]{16}\b")  # as 01_extract hashes learner ids
# What everybody can read already: prose and code as committed, without cells' outputs, and without the demo's corpus
PUBLIC = ["README.md", "CITATION.cff", "notebooks", "lib", ":!lib/synthetic/demo_corpus.yaml"]
COLUMNS = ["file", "where", "words", "learners", "hash"]


def check(files, texts, learners_known=True, public=()):
    """Findings in files: a frame with COLUMNS, one row a run of words that is somebody's own, a learner's id, or
    something unreadable (words, learners and hash are then empty).

    files: paths; texts: texts.parquet of the run; public: texts that everybody can read already, whose 8-grams are
    no findings. `where` says place, line and words; no text is shown. hash: of the words, to tell findings apart.
    """
    found = [(path, piece) for path in files for piece in text_extraction.pieces(path)]
    read = pd.DataFrame([(path, *piece) for path, piece in found if piece.text is not None], columns=["file", *PIECE])
    unread = [(path, piece.where, "", "", "") for path, piece in found if piece.text is None]
    grams = {n: word_ngrams(read["text"], n) for n in LENGTHS}
    few, learners = _somebodys_own(texts, {n: np.unique(runs) for n, (runs, _) in grams.items()}, learners_known)
    for n in few:
        known = word_ngrams(pd.Series(list(public), dtype=object).map(text_extraction.spoken), n)[0]
        few[n] = few[n][~few[n].index.isin(known)]
    rows = [row for n in reversed(LENGTHS) for row in _places(read, *grams[n], few[n], n)]
    rows += _learner_ids(read, learners)
    table = pd.DataFrame(rows + unread, columns=COLUMNS)
    return table[(table["hash"] == "") | ~table.duplicated(["file", "hash"])].reset_index(drop=True)


PIECE = list(text_extraction.Piece._fields)


def _somebodys_own(texts, wanted, learners_known):
    """({n: number of learners by hash, where fewer than FEW}, all learners), from one pass over the corpus.

    wanted: {n: uint64 [...], sorted}. Runs of 8 words count wherever they stand, shorter ones as a whole text.
    """
    index, found, learners = {n: pd.Index(runs) for n, runs in wanted.items()}, {n: [] for n in wanted}, set()
    for batch in pq.ParquetFile(texts).iter_batches(BLOCK, columns=["text", "learner_id"]):
        block = batch.to_pandas()
        text, learner = block["text"].map(text_extraction.normal), block["learner_id"].astype(str)
        learners |= set(learner)
        runs, starts = word_ngrams(text, split.NGRAM)
        _keep(found[split.NGRAM], index[split.NGRAM], runs, starts, learner)
        short = np.diff(starts) == 0
        for n in LENGTHS[:-1]:
            runs, starts = word_ngrams(text[short], n)
            one = np.diff(starts) == 1  # then the run is the whole text
            _keep(found[n], index[n], runs[starts[:-1][one]], np.arange(one.sum() + 1), learner[short][one])
    least = FEW if learners_known else FEW_TEXTS
    counts = {n: _count(parts) for n, parts in found.items()}
    return {n: count[count < least] for n, count in counts.items()}, learners


def _keep(found, index, runs, starts, learner):
    """Append (hash, learner) of the runs that are in the index, each pair once. Text i has runs[starts[i]:...]."""
    (hit,) = np.nonzero(index.get_indexer(runs) >= 0)
    if len(hit):
        whose = learner.to_numpy()[np.searchsorted(starts, hit, side="right") - 1]
        found.append(pd.DataFrame({"run": runs[hit], "learner": whose}).drop_duplicates())


def _count(parts):
    """Series: learners of each run, indexed by its hash."""
    if not parts:
        return pd.Series(dtype=int, index=pd.Index([], dtype=np.uint64))
    return pd.concat(parts).groupby("run")["learner"].nunique()


def _places(read, runs, starts, few, n):
    """Rows of COLUMNS: neighbouring runs of n words that are in `few`, as one stretch with its line and words."""
    (at,) = np.nonzero(few.index.isin(runs[:0]) if few.empty else pd.Index(runs).isin(few.index))
    piece = np.searchsorted(starts, at, side="right") - 1
    new = np.flatnonzero(np.diff(at, prepend=-2) + 1000 * np.diff(piece, prepend=-1) != 1)
    for first, stop in zip(new, [*new[1:], len(at)]):
        file, where, text = read.loc[piece[first], ["file", *PIECE]]
        begin = at[first] - starts[piece[first]]
        words = list(WORD.finditer(text))[begin : begin + at[stop - 1] - at[first] + n]
        line = 1 + text.count("\n", 0, words[0].start())
        before = len(WORD.findall(text[text.rfind("\n", 0, words[0].start()) + 1 : words[0].start()]))
        place = ", ".join(filter(None, [where, f"line {line}", f"from word {before + 1} on"]))
        told = hashlib.sha256(" ".join(word[0] for word in words).encode()).hexdigest()[:8]
        yield file, place, len(words), int(few[runs[at[first:stop]]].min()), told


def _learner_ids(read, learners):
    for file, where, text in read.itertuples(index=False):
        for found in sorted(set(LEARNER.findall(text)) & learners):
            line = 1 + text.count("\n", 0, text.index(found))
            place = ", ".join(filter(None, [where, f"line {line}", "a learner's id"]))
            yield file, place, 1, 1, hashlib.sha256(found.encode()).hexdigest()[:8]


def published(files, root="."):
    """Texts of the repository as last committed: PUBLIC, of notebooks the cells' sources alone; none without git.

    None either where one of the files is the repository's own: else a text that was committed would excuse itself.
    """
    own = subprocess.run(["git", "ls-files", "--", *map(str, files)], cwd=root, capture_output=True, text=True)
    if own.stdout.strip():
        return []
    asked = subprocess.run(["git", "archive", "HEAD", *PUBLIC], cwd=root, capture_output=True)
    if asked.returncode:
        return []
    with tarfile.open(fileobj=io.BytesIO(asked.stdout)) as tar:
        held = {m.name: tar.extractfile(m).read().decode("utf-8", "replace") for m in tar if m.isfile()}
    notebooks = [json.loads(held.pop(name))["cells"] for name in sorted(held) if name.endswith("nb")]
    return [*held.values(), *("".join(cell["source"]) for cells in notebooks for cell in cells)]


def everything(paths):
    """All files of these files and folders, without hidden ones. Raises MissingResult for a name that is none."""
    for path in paths:
        if not path.exists():
            raise MissingResult(f"There is no file or folder {path} to be checked.")
    found = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [file for file in found if file.is_file()]


def tell(findings, n_files, again):
    """Print what was found, and what to do about it."""
    for file, rows in findings.groupby("file", sort=False):
        print(file)
        for row in rows.itertuples():
            whom = f": {row.words} words that {row.learners} learner(s) wrote [{row.hash}]" if row.hash else ""
            print(f"  {row.where}{whom}")
    if findings.empty:
        print(f"{n_files} files: nothing of the corpus was found in them.")
        return
    print(f"\n{findings['file'].nunique()} of {n_files} files must not leave as they are. Lines, words count from 1.")
    print("Take it out where it comes from (clear the cell's output, print a count instead of a text), or leave the")
    print(f"file at home; then ask again: {again}")
