"""How long 01 takes and how much memory it needs on files of the real size, and whether its split keeps its promises.

    .venv/bin/python bench/speed/size.py csv|xlsx|xml [--rows N] [--same-split N] [--note TEXT]

Writes a made-up corpus of N rows (default: the real number) into a temporary folder, runs notebooks/01_extract.ipynb on
it with papermill and params/efcamdat, checks the result, and keeps the measurement in bench/records/size.json. Before
that, 20,000 rows (or --same-split N) go through 01 as made, shuffled, cut into two files, and as a workbook: all must
give one split id. Counts, lengths and shares of first languages are EFCAMDAT's (Shatz 2020), the words are synthetic.
A limit on time holds for the CPU time, which the load of other programs does not change.
"""

import argparse
import contextlib
import functools
import html
import json
import os
import resource
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
from lib.corpus.efcamdat import CHARACTERS, PUBLISHED
from lib.corpus.near_duplicates import find_near_duplicates
from lib.design import LEVELS
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment
from lib.synthetic.demo_corpus import COLUMNS, embedded_corpus

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "bench/records/size.json"
ROWS = {"csv": 723_282, "xlsx": 406_062, "xml": 1_180_310}
LIMITS = {"csv": (6, 6), "xlsx": (8, 6), "xml": (15, 6)}  # minutes of CPU, GB

TEXTS, L1S = PUBLISHED["level"], PUBLISHED["l1"]
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format", choices=ROWS)
    parser.add_argument("--rows", type=int, help="default: the real number")
    parser.add_argument("--same-split", type=int, default=20_000, metavar="N", help="rows; 0 leaves this out")
    parser.add_argument("--note", help="on the conditions, kept with the measurement")
    arguments = parser.parse_args()
    rows = arguments.rows or ROWS[arguments.format]
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        os.environ["ILM_CEFR_KEY"] = f"{folder}/key"
        same = same_split(arguments.same_split, Path(folder)) if arguments.same_split else {}
        print(f"making {rows:,} rows", flush=True)
        made = corpus(rows)
        file = Path(folder) / f"corpus.{arguments.format}"
        WRITE[arguments.format](made, file)
        result = {"rows": rows, "file_mb": round(file.stat().st_size / 1e6)} | run_01(arguments.format, [file])
        print(json.dumps(result), flush=True)
        result |= check_split(arguments.format, made) | same
    if arguments.note:
        result["note"] = arguments.note
        sys.argv = [word for word in sys.argv if word not in ("--note", arguments.note)]  # the record's command
    records = read_json(RECORD) if RECORD.exists() else {}
    if rows == ROWS[arguments.format]:
        write_json(records | {arguments.format: facts() | result}, RECORD)
    print(json.dumps(result, indent=2))
    minutes, gigabytes = LIMITS[arguments.format]
    assert result["cpu_seconds"] < 60 * minutes, f"over {minutes} minutes"
    assert result["peak_gb"] < gigabytes, f"over {gigabytes} GB"


def run_01(name, files):
    """Run 01 on the files: time and memory, as `watched` returns them."""
    paths = [os.path.relpath(file, ROOT / "notebooks") for file in files]
    command = [sys.executable, "-m", "papermill", "notebooks/01_extract.ipynb", str(files[0].parent / f"{name}.ipynb"),
               "--cwd", "notebooks", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR",
               "-f", "params/efcamdat/corpus.yaml", "-r", "experiment", f"bench-{name}",
               "-y", json.dumps({"corpus": paths})]  # fmt: skip
    return watched(command)


def watched(command):
    """Run a command: seconds from start to end, CPU seconds, and the peak memory of all its processes together."""
    start, cpu, peak = time.monotonic(), _cpu_of_children(), 0
    process = psutil.Popen(command, cwd=ROOT)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            running = [process, *process.children(recursive=True)]
            peak = max(peak, sum(p.memory_full_info().pss for p in running))  # shared pages count once
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds, cpu_seconds = time.monotonic() - start, _cpu_of_children() - cpu
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1), "peak_gb": round(peak / 1e9, 2)}


def _cpu_of_children():
    """CPU seconds of all child processes that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_result(name):
    """(texts, report) that 01 wrote; its folders are removed."""
    run = Experiment(f"bench-{name}", ROOT)
    texts, report = pd.read_parquet(run.texts), read_json(run.report)
    for folder in (run.folder, run.figures):
        shutil.rmtree(folder, ignore_errors=True)
    return texts, report


def check_split(name, made):
    """What 01 promises of the split, counted in what it wrote."""
    texts, report = read_result(name)
    ordinary, wanted = texts[~texts["held_out"]], [0.1, 0.8, 0.1]  # test, train, valid
    off = {by: pd.crosstab(ordinary[by], ordinary["split"], normalize="index") - wanted for by in ("level", "l1")}
    split_of = pd.Series(texts["split"].to_numpy(), texts["text_id"].astype(str))
    both = made[["writing_id", "source"]].apply(lambda ids: ids.map(split_of)).dropna()
    units = {"learners": texts["learner_id"], "groups": find_near_duplicates(texts["text"])}
    n_splits = {unit: texts.groupby(ids)["split"].nunique() for unit, ids in units.items()}
    claims = {
        "dropped": report["dropped"],
        "texts": len(texts),
        "learners": len(n_splits["learners"]),
        "learners_in_two_splits": int((n_splits["learners"] > 1).sum()),
        "near_duplicate_groups_in_two_splits": int((n_splits["groups"] > 1).sum()),
        "copies_kept": len(both),  # with their source
        "copies_in_another_split": int(
            (both["writing_id"] != both["source"]).sum()
        ),  # short texts, in which one word is a large share
        "off_balance_points": {by: round(100 * float(gaps.abs().max().max()), 3) for by, gaps in off.items()},
    }
    assert not claims["learners_in_two_splits"] and not claims["near_duplicate_groups_in_two_splits"], claims
    points = claims["off_balance_points"]
    assert len(texts) < 250_000 or (points["level"] <= 0.5 and points["l1"] <= 1), claims
    return claims


def same_split(rows, folder):
    """01 on one corpus in several forms, which must give one split id."""
    made, half = corpus(rows), rows // 2
    forms = {
        "as made": {"a.csv": made},
        "shuffled": {"b.csv": made.sample(frac=1, random_state=5)},
        "two files": {"c.csv": made[half:], "d.csv": made[:half]},
        "workbook": {"e.xlsx": made},
    }
    ids = {}
    for form, files in forms.items():
        for name, table in files.items():
            WRITE[name.split(".")[1]](table, folder / name)
        run_01("same", [folder / name for name in files])
        ids[form] = read_result("same")[1]["split_id"]
        print(f"split id {ids[form]}: {rows:,} rows, {form}", flush=True)
    assert len(set(ids.values())) == 1, ids
    return {"one_split_id": {"rows": rows, "forms": list(ids)}}


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
    for first in range(0, n, 20_000):  # in blocks, since Python words take much memory
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
    for k, position in enumerate(chosen):
        copy, original = order[position], order[position - 1]
        source[copy] = original
        text[copy] = text[original] if k < EXACT * n else _nearly(text[original], rng)
    for start in rng.integers(0, n // 2, max(1, round(PAGE * n / PAGE_SIZE))):  # the first half is A1 and A2
        for copy in order[start + 1 : start + PAGE_SIZE]:
            source[copy] = order[start]
            text[copy] = _nearly(text[order[start]], rng)
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
    numbers = pd.DataFrame(codes[len(COLUMNS) :].reshape(-1, len(spelt)), columns=spelt)
    cells = [numbers[column] if column in numbers else table[column] for column in COLUMNS]
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
    for n in range(at % 10, len(words), 10):
        if words[n].isalpha():
            words[n] = CHANGE.format(words[n], words[n].lower(), "SP")
            if n % 3 == 0:
                words[n] = CHANGE.format(f"the {words[n]}", "a", "AR")
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
