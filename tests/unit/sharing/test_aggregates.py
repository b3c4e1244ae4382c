"""Claims about what of a study may be shown: no number of a few learners."""

from lib.sharing.aggregates import SMALL


def test_small_cells_are_in_no_table(study):
    for name, table in study.tables.items():
        few = table.get("reason", table.iloc[:, 0]).astype(str).str.startswith(f"fewer than {SMALL} learners")
        numbers = table[few].select_dtypes("number").drop(columns=["seeds", "margin"], errors="ignore")
        numbers = numbers if name != "cost" else numbers[["valid_perplexity", "start_perplexity"]]
        assert numbers.isna().all(axis=None), name
    assert study.small["test"], "the demo has levels with few test learners: else this claims nothing"
