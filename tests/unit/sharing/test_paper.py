"""Claims about the paper kit: it has the run's numbers, and no text of a learner acts in its LaTeX."""

import re
from pathlib import Path

import pandas as pd
import yaml

from lib.experiment.folders import Experiment
from lib.sharing import paper
from lib.sharing.reading.documents import certificate
from lib.sharing.small_cells import OTHER, REASON, round_count


def test_tables_for_latex_have_rules_and_no_active_letters(study):
    table = paper.results(study).assign(note=r"50% of x_1 & \input{a} $ {#}")
    text = paper.booktabs(table, "100 % & more", "t")
    assert all(rule in text for rule in [r"\toprule", r"\midrule", r"\bottomrule"])
    assert r"50\% of x\_1 \& \textbackslash{}input\{a\} \$ \{\#\}" in text and r"\caption{100 \% \& more}" in text


def test_methods_have_the_numbers_of_the_run(study):
    text = " ".join(paper.methods(study) + paper.data_sentences(study))
    assert study.corpus["split_id"] in text and study.masks["mask_hash"]["test"] in text
    assert (
        f"{round_count(study.corpus['rows_out']):,}" in text
        and f"{study.advice['parameters']['bootstrap_resamples']:,}" in text
    )


def test_references_are_those_of_the_citation_file():
    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    keys = re.findall(r"@\w+\{(\w+),", paper.bibliography(citation))
    assert keys == ["donahue2020", "geertzen2013", "shatz2020"]
    cited = re.findall(r"\\cite\{(\w+)\}", Path("lib/sharing/templates/study.tex").read_text(encoding="utf-8"))
    assert set(cited) == set(keys)


def test_no_other_corpus_is_called_efcamdat(study):
    shown = [line for line in Path("lib/sharing/templates/study.tex").read_text(encoding="utf-8").splitlines()
             if not line.startswith("%")]  # fmt: skip
    text = "\n".join([*shown, *paper.methods(study), *paper.data_sentences(study)])
    assert "EFCAMDAT" not in text and "course" not in text


def test_a_missing_number_is_withheld_only_where_it_is_known():
    table = pd.DataFrame({"ppl": [9.04, float("nan"), float("nan")], "reason": [None, REASON, "no text of B1"]})
    assert paper._column(table, "ppl") == ["9.0", paper.WITHHELD, "n/a"]


def test_hashes_of_drawn_images_are_recorded(study, tmp_path, monkeypatch):
    name, drawn, table = next(study.figures())
    monkeypatch.setattr(study, "figures", lambda: [(name, drawn, table)])
    monkeypatch.setattr(study, "run", Experiment("demo", tmp_path))
    (tmp_path / "CITATION.cff").write_text(Path("CITATION.cff").read_text(encoding="utf-8"), encoding="utf-8")
    paper.write(study, tmp_path / "paper")
    assert paper.drawn_hashes(study.run) == {certificate((tmp_path / f"paper/figures/{name}.png").read_bytes())}
    assert paper.drawn_hashes(Experiment("other", tmp_path)) == set()


def test_small_counts_and_groups_are_not_in_the_data_statement(study, monkeypatch):
    counts = study.tables["l1"].assign(l1=[OTHER, *study.tables["l1"]["l1"][1:]])
    monkeypatch.setitem(study.tables, "l1", counts)
    monkeypatch.setitem(study.corpus, "dropped", {"level C2": 13, "empty text": 0})
    text = " ".join(paper.data_sentences(study))
    assert "15 level C2" in text and "empty text" not in text and f" {OTHER}," not in text
