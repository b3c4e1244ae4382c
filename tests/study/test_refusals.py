"""Claims about a corpus that 01_extract refuses: nothing is written, neither a table nor a figure nor a key."""

import nbformat
import pytest

from lib.errors import CorpusError
from tests.helpers.corpora import many
from tests.unit.corpus.test_reading import BAD, HEADER

CELLS = [cell for cell in nbformat.read("notebooks/01_extract.ipynb", as_version=4).cells if cell.cell_type == "code"]
REFUSED_LATER = {  # readable, but no corpus
    "level B1+": HEADER + "1,B1+,x\n",
    "level Z9": HEADER + "1,Z9,x\n",
    "level 17": HEADER + "1,17,x\n",
    "level beyond range": HEADER + "1,1e999,x\n",
    "one id, two texts": HEADER + "1,A1,x\n1,A1,y\n",
    "a single learner": many(60).assign(learner_id="7").to_csv(index=False),
    "an empty part": many(60).to_csv(index=False),
}
CASES = [(name, content) for name, content, _ in BAD if not name.endswith(".zip")] + list(REFUSED_LATER.items())


def run_01(corpus, **parameters):
    """The cells of the notebook one by one, without a kernel, until one of them refuses."""
    cell_names = {}
    for cell in CELLS:
        exec(cell.source, cell_names)
        if "parameters" in cell.metadata.get("tags", []):
            cell_names |= {"corpus": [str(corpus)]} | parameters


@pytest.mark.parametrize(("name", "content"), CASES, ids=[name for name, _ in CASES])
def test_a_refused_corpus_leaves_no_file_behind(name, content, tmp_path, monkeypatch):
    corpus = tmp_path / (name if "." in name else "corpus.csv")
    corpus.write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / "key"))
    with pytest.raises(CorpusError):
        run_01(corpus, **({"valid_share": 0.001} if name == "an empty part" else {}))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [corpus]
