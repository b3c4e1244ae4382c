"""How long 01 takes and how much memory it needs on files of the real size, and whether its split keeps its promises.

    .venv/bin/python bench/speed/size.py csv|xlsx|xml [--rows N] [--same-split N]

Writes a made-up corpus of N rows (default: the real number) into a temporary folder, runs notebooks/01_extract.ipynb on
it with papermill and params/efcamdat, checks the result, and keeps the measurement in bench/records/size.json. Before
that, 20,000 rows (or --same-split N) go through 01 as made, shuffled, cut into two files, and as a workbook: all must
give one split id. Counts, lengths and shares of first languages are EFCAMDAT's (Shatz 2020), the words are synthetic.
"""

import argparse
import contextlib
import functools
import html
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.corpus.efcamdat import PUBLISHED
from lib.corpus.near_duplicates import find_near_duplicates
from lib.design import LEVELS
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment
from lib.synthetic.demo_corpus import COLUMNS, embedded_corpus

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "bench/records/size.json"
ROWS = {"csv": 723_282, "xlsx": 406_062, "xml": 1_180_310}
LIMITS = {"csv": (6, 6), "xlsx": (8, 6), "xml": (15, 6)}  # minutes, GB

TEXTS, L1S = PUBLISHED["level"], PUBLISHED["l1"]
CHARACTERS = {"A1": 187, "A2": 350, "B1": 474, "B2": 702, "C1": 969}  # mean of a text
NATIONALITY = dict(zip(L1S, ["br", "cn", "mx", "ru", "de", "it", "fr", "sa", "jp", "tr"]))
LONGEST = 1774  # characters
PROMPTS = 24  # a level
OTHER_WORD = 0.3  # share of words exchanged, so that few sentences are the same in two texts
EXACT, NEAR = 0.02, 0.03  # share of texts that copy another learner's, word by word or nearly
PAGE, PAGE_SIZE = 0.01, 300  # share of texts that nearly copy a page; texts a page
SHARED, NUMBER = ' t="s"', ""  # kinds of cells in a workbook
NUMBERS = {"writing_id", "learner_id", "level", "unit", "topic_id", "grade", "cefr_numeric", "wordcount"}
DAMAGE = [("  ", " <br> "), (". ", ".<br/> "), ("'", "&amp;amp;#39;"), (", ", ",&nbsp;<code> "), (" I ", " &quote;I ")]
CHANGE = "<change><selection>{0}</selection><tag><symbol>{2}</symbol><correct>{1}</correct></tag></change>"


def main():
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("shape", choices=ROWS)
    known.add_argument("--rows", type=int, help="default: the real number")
    known.add_argument("--same-split", type=int, default=20_000, metavar="N", help="rows; 0 leaves this out")
    asked = known.parse_args()
    rows = asked.rows or ROWS[asked.shape]
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        os.environ["ILM_CEFR_KEY"] = f"{folder}/key"
        same = same_split(asked.same_split, Path(folder)) if asked.same_split else {}
        print(f"making {rows:,} rows", flush=True)
        made, file = corpus(rows), Path(folder) / f"corpus.{asked.shape}"
        WRITE[asked.shape](made, file)
        found = {"rows": rows, "file_mb": round(file.stat().st_size / 1e6)} | measured(asked.shape, [file])
        print(json.dumps(found), flush=True)
        found |= checked(asked.shape, made) | same
    records = read_json(RECORD) if RECORD.exists() else {}
    write_json(records | {asked.shape: facts() | found}, RECORD)
    print(json.dumps(found, indent=2))
    minutes, gigabytes = LIMITS[asked.shape]
    assert found["seconds"] < 60 * minutes and found["peak_gb"] < gigabytes, f"over {minutes} minutes or {gigabytes} GB"


def measured(name, files):
    """Run 01 on the files."""
    paths = [os.path.relpath(file, ROOT / "notebooks") for file in files]
    command = [sys.executable, "-m", "papermill", "notebooks/01_extract.ipynb", str(files[0].parent / f"{name}.ipynb"),
               "--cwd", "notebooks", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR",
               "-f", "params/efcamdat/corpus.yaml", "-r", "experiment", f"bench-{name}",
               "-y", json.dumps({"corpus": paths})]  # fmt: skip
    return watched(command)


def watched(command):
    """Run a command: seconds from start to end, and the most memory that all its processes held together."""
    start, peak = time.monotonic(), 0
    process = psutil.Popen(command, cwd=ROOT)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            running = [process, *process.children(recursive=True)]
            peak = max(peak, sum(p.memory_full_info().pss for p in running))  # what forks share counts once
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return {"seconds": round(time.monotonic() - start, 1), "peak_gb": round(peak / 1e9, 2)}


def result(name):
    """(texts, report) that 01 left; its folders are removed."""
    run = Experiment(f"bench-{name}", ROOT)
    texts, report = pd.read_parquet(run.texts), read_json(run.report)
    for folder in (run.folder, run.figures):
        shutil.rmtree(folder, ignore_errors=True)
    return texts, report


def checked(name, made):
    """What 01 promises of the split, looked up in what it wrote."""
    texts, report = result(name)
    ordinary, wanted = texts[~texts["held_out"]], [0.1, 0.8, 0.1]  # test, train, valid
    off = {by: pd.crosstab(ordinary[by], ordinary["split"], normalize="index") - wanted for by in ("level", "l1")}
    part = pd.Series(texts["split"].to_numpy(), texts["text_id"].astype(str))
    both = made[["writing_id", "source"]].apply(lambda ids: ids.map(part)).dropna()
    named = {"learners": texts["learner_id"], "groups": find_near_duplicates(texts["text"])}
    in_parts = {by: texts.groupby(ids)["split"].nunique() for by, ids in named.items()}
    claims = {
        "dropped": report["dropped"],
        "texts": len(texts),
        "learners": len(in_parts["learners"]),
        "learners_in_two_parts": int((in_parts["learners"] > 1).sum()),
        "near_duplicate_groups_in_two_parts": int((in_parts["groups"] > 1).sum()),
        "copies_kept": len(both),  # with their source
        "copies_in_another_part": int((both["writing_id"] != both["source"]).sum()),  # short ones: one word is much
        "off_balance_points": {by: round(100 * float(gaps.abs().max().max()), 3) for by, gaps in off.items()},
    }
    assert not claims["learners_in_two_parts"] and not claims["near_duplicate_groups_in_two_parts"], claims
    points = claims["off_balance_points"]
    assert len(texts) < 250_000 or (points["level"] <= 0.5 and points["l1"] <= 1), claims
    return claims


def same_split(rows, folder):
    """01 on one corpus in several shapes, which must give one split id."""
    made, half = corpus(rows), rows // 2
    shapes = {
        "as made": {"a.csv": made},
        "shuffled": {"b.csv": made.sample(frac=1, random_state=5)},
        "two files": {"c.csv": made[half:], "d.csv": made[:half]},
        "workbook": {"e.xlsx": made},
    }
    ids = {}
    for shape, files in shapes.items():
        for name, table in files.items():
            WRITE[name.split(".")[1]](table, folder / name)
        measured("same", [folder / name for name in files])
        ids[shape] = result("same")[1]["split_id"]
        print(f"split id {ids[shape]}: {rows:,} rows, {shape}", flush=True)
    assert len(set(ids.values())) == 1, ids
    return {"one_split_id": {"rows": rows, "shapes": list(ids)}}


def corpus(n_rows, seed=1):
    """n_rows rows in the cleaned subcorpus's columns, str, shuffled, with `source`: the writing_id a text was copied
    from, or ""."""
    rng = np.random.default_rng(seed)
    share = n_rows / sum(TEXTS.values())
    counts = {level: round(n * share) for level, n in TEXTS.items()}
    counts["A1"] += n_rows - sum(counts.values())
    table = pd.concat([_rows(at, counts[level], rng) for at, level in enumerate(LEVELS)], ignore_index=True)
    table["learner_id"] = _learners(counts, rng)
    table["text"] = [text for level in LEVELS for text in _texts(level, counts[level], rng)]
    l1 = rng.choice(list(L1S), table["learner_id"].max() + 1, p=np.array([*L1S.values()]) / sum(L1S.values()))
    table["l1"] = l1[table["learner_id"]]
    table["nationality"] = table["l1"].map(NATIONALITY)
    table["writing_id"] = 1 + rng.permutation(n_rows)
    table["source"] = _copy(table, rng)
    table["wordcount"] = table["text"].str.count(" ") + 1
    table["text_corrected"] = table["text"]
    return table.sample(frac=1, random_state=seed, ignore_index=True)[[*COLUMNS, "source"]].astype(str)


def _rows(at, n, rng):
    """The columns that depend on the prompt, of n texts at the level number `at`; early prompts have most texts."""
    popular = 1 / (8 + np.arange(PROMPTS))
    prompt = rng.choice(PROMPTS, n, p=popular / popular.sum())
    topic = PROMPTS * at + prompt + 1
    return pd.DataFrame({"level": 3 * at + prompt // 8 + 1, "unit": prompt % 8 + 1, "topic_id": topic,
                         "topic": "Prompt number " + pd.Series(topic).astype(str), "date": "2012-03-04 05:06:07",
                         "grade": rng.integers(70, 100, n), "cefr": LEVELS[at], "cefr_numeric": at + 1})  # fmt: skip


def _learners(counts, rng):
    """A learner for each text: about three texts a level; six in ten go on to the next level if it has as many."""
    ids, earlier, new = [], np.empty(0, int), 0
    for n in counts.values():
        sizes = rng.geometric(1 / 2.5, n)
        here = min(n, np.searchsorted(np.cumsum(sizes), n) + 1)
        going_on = rng.permutation(earlier)[: round(0.6 * min(len(earlier), here))]
        earlier = np.concatenate([going_on, new + np.arange(here - len(going_on))])
        ids.append(np.repeat(earlier, sizes[:here])[:n])
        new = max(new, earlier.max() + 1)
    return np.concatenate(ids)


def _texts(level, n, rng):
    """n texts: a stream of the level's synthetic sentences with other words put in, cut to lengths as published."""
    sentences = _sentences(level)
    words, spelt = pd.factorize(np.array([word for sentence in sentences for word in sentence], dtype=object))
    mean = CHARACTERS[level] / (1 + np.mean([len(word) for word in spelt[words]]))  # words a text
    length = rng.lognormal(np.log(mean) - 0.085, 0.5, n).clip(1, LONGEST / CHARACTERS[level] * mean).astype(int)
    sizes, ends = np.array([len(sentence) for sentence in sentences]), np.cumsum(length)
    drawn = rng.integers(len(sentences), size=int(ends[-1] / sizes.mean() * 1.1) + 100)
    size = sizes[drawn]
    stream = np.arange(size.sum()) + np.repeat((np.cumsum(sizes) - sizes)[drawn] - np.cumsum(size) + size, size)
    stream = words[np.resize(stream, ends[-1])]
    other = rng.random(len(stream)) < OTHER_WORD
    stream[other] = rng.choice(words, other.sum())
    for first in range(0, n, 20_000):  # as Python words, which take much memory, a part at a time
        block = ends[first : first + 20_000] - (ends[first] - length[first])
        written = spelt[stream[ends[first] - length[first] :][: block[-1]]].tolist()
        yield from (" ".join(written[a:b]) for a, b in zip([0, *block[:-1]], block))


@functools.cache
def _synthetic():
    return embedded_corpus()


def _sentences(level):
    """The sentences of the embedded corpus at a level, as lists of words."""
    texts = _synthetic().query("cefr == @level")["text"]
    return [found for s in texts.str.replace(r"([.!?]) ", "\\1\n", regex=True).str.split("\n").explode()
            if (found := s.split())]  # fmt: skip


def _copy(table, rng):
    """Make some texts copies of others on the same prompt. Changes table["text"]; returns each text's source or ""."""
    order = table.sort_values(["topic_id", "writing_id"]).index.to_numpy()
    n, text, source = len(table), table["text"].tolist(), np.full(len(table), -1)
    chosen = 1 + rng.permutation(n - 1)[: round((EXACT + NEAR) * n)]
    for k, place in enumerate(chosen):
        one, other = order[place], order[place - 1]
        source[one] = other
        text[one] = text[other] if k < EXACT * n else _nearly(text[other], rng)
    for start in rng.integers(0, n // 2, max(1, round(PAGE * n / PAGE_SIZE))):  # the first half is A1 and A2
        for one in order[start + 1 : start + PAGE_SIZE]:
            source[one], text[one] = order[start], _nearly(text[order[start]], rng)
    table["text"] = text
    return np.where(source >= 0, table["writing_id"].to_numpy()[source].astype(str), "")


def _nearly(text, rng):
    """One word in forty, at least one, exchanged for another of the text."""
    words = text.split(" ")
    for at, other in rng.integers(len(words), size=(max(1, len(words) // 40), 2)):
        words[at] = words[other]
    return " ".join(words)


def _csv(table, path):
    table[COLUMNS].to_csv(path, index=False)


def _xlsx(table, path):
    """As Excel writes a workbook, with shared strings, but declared to be of size A1 like the distributed ones."""
    spelt = [column for column in COLUMNS if column not in NUMBERS]
    codes, strings = pd.factorize(np.concatenate([COLUMNS, table[spelt].to_numpy(object).ravel()]))
    places = pd.DataFrame(codes[len(COLUMNS) :].reshape(-1, len(spelt)), columns=spelt)
    cells = [places[column] if column in places else table[column] for column in COLUMNS]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, content in BOOK.items():
            book.writestr(name, HEAD + content)
        with book.open("xl/sharedStrings.xml", "w", force_zip64=True) as file:
            file.write(f'{HEAD}<sst xmlns="{MAIN}" count="{len(codes)}" uniqueCount="{len(strings)}">'.encode())
            file.writelines(f'<si><t xml:space="preserve">{html.escape(s)}</t></si>'.encode() for s in strings)
            file.write(b"</sst>")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            file.write(f'{HEAD}<worksheet xmlns="{MAIN}"><dimension ref="A1"/><sheetData>'.encode())
            file.write(_row(1, range(len(COLUMNS)), COLUMNS))
            file.writelines(_row(at, row, spelt) for at, row in enumerate(zip(*cells), 2))
            file.write(b"</sheetData></worksheet>")


def _row(at, values, spelt):
    cells = (
        f'<c r="{letter}{at}"{SHARED if column in spelt else NUMBER}><v>{value}</v></c>'
        for letter, column, value in zip("ABCDEFGHIJKLMNO", COLUMNS, values)
    )
    return f'<row r="{at}">{"".join(cells)}</row>'.encode()


def _xml(table, path):
    """Release 2: errors marked, some within each other, not well-formed; one writing in a hundred is of level 16."""
    with open(path, "w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<selection>\n<meta/>\n<writings>\n')
        for at, row in enumerate(table.itertuples()):
            level = 16 if at % 100 == 99 else row.level
            file.write(
                f'<writing id="{row.writing_id}" level="{level}" unit="{row.unit}">\n'
                f'<learner id="{row.learner_id}" nationality="{row.nationality}"/>\n'
                f'<topic id="{row.topic_id}">{row.topic}</topic>\n<date>{row.date}</date>\n<grade>{row.grade}</grade>\n'
                f"<text>\n{_marked(row.text, at)}\n</text>\n</writing>\n"
            )
        file.write("</writings>\n</selection>\n")


def _marked(text, at):
    """The text with errors marked, some within each other; one text in four has one kind of damage."""
    text = html.escape(text, quote=False)
    for plain, damaged in DAMAGE[at % 20 :][:1]:
        text = text.replace(plain, damaged, 2)
    words = text.split(" ")
    for place in range(at % 10, len(words), 10):
        if words[place].isalpha():
            words[place] = CHANGE.format(words[place], words[place].lower(), "SP")
            if place % 3 == 0:
                words[place] = CHANGE.format(f"the {words[place]}", "a", "AR")
    return " ".join(words)


HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE, OFFICE = (f"http://schemas.openxmlformats.org/{name}/2006" for name in ("package", "officeDocument"))
LINKS = f'<Relationships xmlns="{PACKAGE}/relationships">{{}}</Relationships>'
LINK = f'<Relationship Id="{{0}}" Type="{OFFICE}/relationships/{{1}}" Target="{{2}}"/>'
KIND = (
    '<Override PartName="/xl/{0}.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{1}+xml"/>'
)
BOOK = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + KIND.format("workbook", "sheet.main")
    + KIND.format("worksheets/sheet1", "worksheet")
    + KIND.format("sharedStrings", "sharedStrings")
    + "</Types>",
    "_rels/.rels": LINKS.format(LINK.format("rId1", "officeDocument", "xl/workbook.xml")),
    "xl/_rels/workbook.xml.rels": LINKS.format(
        LINK.format("rId1", "worksheet", "worksheets/sheet1.xml")
        + LINK.format("rId2", "sharedStrings", "sharedStrings.xml")
    ),
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships"><sheets>'
    '<sheet name="corpus" sheetId="1" r:id="rId1"/></sheets></workbook>',
}
WRITE = {"csv": _csv, "xlsx": _xlsx, "xml": _xml}

if __name__ == "__main__":
    main()
