"""Claims about what of a study may be shown: tables and figures without numbers of few learners."""

from lib.sharing import small_cells


def test_rows_of_small_levels_have_no_numbers(study):
    assert study.small["test"], "the demo has levels with few test learners: else this claims nothing"
    for name, table in study.tables.items():
        level = table.get("level", table.get("test"))
        if level is None or name == "levels":
            continue
        rows = table[level.isin(study.small["test"])]
        if name == "original_criteria":
            rows = rows[~rows["criterion"].str.contains("validation")]
        assert rows[small_cells.measured(rows)].isna().all(axis=None), name


def test_rows_of_models_of_small_levels_have_no_perplexity(study):
    cost = study.tables["cost"].set_index("model")
    for level in study.small["valid"]:
        assert cost.loc[level.lower(), ["valid_perplexity", "start_perplexity"]].isna().all()
    assert cost["valid_perplexity"].notna().sum() > 3


def test_curves_do_not_begin_with_another_models_perplexity(study):
    curves = study.curves()
    begins = curves.groupby("model")["examples"].min()
    assert begins["general"] == 0 and begins["a1_transfer"] > 0
    assert not {level.lower() for level in study.small["valid"]} & set(curves["model"])


def test_figures_draw_the_tables_that_are_shared(study):
    drawn = {name: table for name, _, table in study.figures()}
    assert drawn["h1_gains"].equals(study.primary("general_vs_specialist"))
    assert drawn["sample_size"].equals(study.tables["mde"]) and len(drawn) >= 7
