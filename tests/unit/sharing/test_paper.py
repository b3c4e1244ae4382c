"""Claims about what a paper takes from a run: its own numbers, and LaTeX that no text of a learner can act in."""

import re
from pathlib import Path

import yaml

from lib.sharing import paper


def test_tables_for_latex_have_rules_and_no_active_letters(study):
    table = paper.results(study).assign(note=r"50% of x_1 & \input{a} $ {#}")
    text = paper.booktabs(table, "100 % & more", "t")
    assert all(rule in text for rule in [r"\toprule", r"\midrule", r"\bottomrule"])
    assert r"50\% of x\_1 \& \textbackslash{}input\{a\} \$ \{\#\}" in text and r"\caption{100 \% \& more}" in text


def test_methods_tell_the_runs_own_numbers(study):
    text = " ".join(paper.methods(study) + paper.data_sentences(study))
    assert study.corpus["split_id"] in text and study.masks["mask_hash"]["test"] in text
    assert f"{study.corpus['rows_out']:,}" in text and f"{study.advice['parameters']['bootstrap_resamples']:,}" in text


def test_references_are_those_of_the_citation_file():
    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    keys = re.findall(r"@\w+\{(\w+),", paper.bibliography(citation))
    assert keys == ["donahue2020", "geertzen2013", "shatz2020"]
    cited = re.findall(r"\\cite\{(\w+)\}", Path("lib/sharing/templates/study.tex").read_text(encoding="utf-8"))
    assert set(cited) == set(keys)
