"""Small corpora in every format. Workbooks are written by hand, because the project only reads them."""

import zipfile
from xml.sax.saxutils import escape

import pandas as pd

from lib.corpus import reading
from lib.experiment import parameters

ROW = {"writing_id": "1", "learner_id": "7", "cefr": "A1", "l1": "Spanish", "topic_id": "3", "text": "I like cats."}
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE, OFFICE = (f"http://schemas.openxmlformats.org/{n}/2006" for n in ("package", "officeDocument"))
RELEASE2 = '<?xml version="1.0" encoding="UTF-8"?>\n<selection id="1"><meta/><writings>{}</writings></selection>\n'


def table(*rows):
    """A corpus file's content: ROW with changes, one dict a row."""
    return pd.DataFrame([ROW | row for row in rows])


def many(n):
    """A file's content of n rows: ids 1 to n, three a learner, levels in turn, no two texts in the same words."""
    levels = ["A1", "A2", "B1", "B2", "C1"]
    return table(*(
        {"writing_id": str(i), "learner_id": str(i // 3), "cefr": levels[i % 5], "text": f"We {'very ' * i}like it."}
        for i in range(1, n + 1)
    ))  # fmt: skip


def write_xlsx(frame, path, shared=False, dimension="A1:Z99", sheet=None, more=(), main="workbook"):
    """A workbook of frame: str cells as text (shared or inline), numbers as floats, True and False as such.

    dimension: the size that the sheet declares, right or wrong. sheet: raw XML instead of frame. more: further sheets
    as (name, frame or None, state), state being visible or hidden. main: the name of the workbook's own part.
    """
    strings = {}

    def cell(value):
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if not isinstance(value, str):
            return f"<c><v>{float(value)}</v></c>"
        if shared:
            return f'<c t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'

    def raw(frame):
        rows = [] if frame is None else [list(frame.columns), *frame.astype(object).to_numpy().tolist()]
        return "".join("<row>" + "".join(map(cell, row)) + "</row>" for row in rows)

    sheets = {"s": (raw(frame) if sheet is None else sheet, "visible")}
    sheets |= {name: (raw(other), state) for name, other, state in more}
    items = "".join(f'<si><t xml:space="preserve">{escape(string)}</t></si>' for string in strings)
    links = {
        "_rels/.rels": {"officeDocument": ("officeDocument", f"xl/{main}.xml")},
        f"xl/_rels/{main}.xml.rels": {
            **{f"worksheet{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)},
            "sharedStrings": ("sharedStrings", "sharedStrings.xml"),
        },
    }
    link = '<Relationship Id="{1}" Type="{0}/relationships/{2}" Target="{3}"/>'
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="worksheet{n}"/>'
        for n, (name, (_, state)) in enumerate(sheets.items(), 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        f"xl/{main}.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{items}</sst>',
    }
    for n, (content, _) in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><dimension ref="{dimension}"/><sheetData>{content}</sheetData></worksheet>'
        )
    for name, targets in links.items():
        inside = "".join(link.format(OFFICE, key, *target) for key, target in targets.items())
        parts[name] = f'<Relationships xmlns="{PACKAGE}/relationships">{inside}</Relationships>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def writing(id="1", level="1", text="I like cats.", learner="7", nationality="mx", topic="3"):
    """One writing of release 2; text goes in as it is, with its damage."""
    return (
        f'<writing id="{id}" level="{level}" unit="1"><learner id="{learner}" nationality="{nationality}"/>'
        f'<topic id="{topic}">Introducing yourself</topic><date>2012</date><grade>90</grade><text>{text}</text>'
        "</writing>\n"
    )


def write_xml(frame, path):
    """The rows of frame as release 2; its l1 must be Spanish, its level an EF level."""
    rows = frame.rename(columns={"writing_id": "id", "learner_id": "learner", "topic_id": "topic"})
    rows = rows[["id", "level", "text", "learner", "topic"]].assign(text=[escape(text) for text in rows["text"]])
    path.write_text(RELEASE2.format("".join(writing(**row) for row in rows.to_dict("records"))), encoding="utf-8")
    return path


def write_csv(frame, path, **options):
    frame.to_csv(path, index=False, **options)
    return path


STRANGE = [
    "NA",
    "None",
    "null",
    "=1+1",
    "TRUE",
    'He say "hi", ok',
    "two\nlines",
    "😀 and \u202bright\u202c",
    "1e5",
    " x ",
    "<b> & </i> <3",
]


def settings(**changes):
    return parameters.load_file("params/demo/corpus.yaml").model_copy(update=changes)


def read(files, **changes):
    return reading.read_corpus(files, settings(**changes))[0]


def read_bytes(tmp_path, content, name="c.csv", **changes):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(tmp_path / name, **changes)
