"""Decision rules for H1, H2 and H3, what makes a verdict invalid or fragile, and its words.

Pure functions from contrast rows to verdict rows. theta, margins: differences of ln PPL, so 10 % is ln 1.10.
Tests are one-sided at alpha; the intervals beside them are two-sided.
"""
import numpy as np
import pandas as pd

from lib.runs import LEVELS
from lib.stats import MIXED, holm, p_above, role

SUPPORTED, PARTLY, NOT, INCONCLUSIVE = "supported", "partly", "not supported", "inconclusive"
NA, INVALID = "n/a", "invalid"
EQUIVALENT, GENERAL_BETTER = "equivalent", "general better"  # H2 holds, and more
LONGER = "longer training"  # H3: transfer beats both, and so does longer training without level text
HOLDS = {SUPPORTED, EQUIVALENT, GENERAL_BETTER}
STAMP, ALL = " (provisional)", "all"
H3_TESTS = ["own-transfer", "general-transfer", "continued-transfer"]  # the last is the control
KEY = ["hypothesis", "level"]
VERDICTS = [*KEY, "theta", "ci_lo", "ci_hi", "p", "p_holm", "margin", "verdict", "robust", "why"]
CLAIMS = {
    "H1": {SUPPORTED: "the level's own model beats the general model by more than {m}",
           NOT: "the level's own model does not beat the general model by {m}"},
    "H2": {SUPPORTED: "the general model is within {m} of the best specialist",
           EQUIVALENT: "the general model and the best specialist are within {m} of each other",
           GENERAL_BETTER: "the general model beats the best specialist by more than {m}",
           NOT: "the general model is more than {m} behind the best specialist"},
    "H3": {SUPPORTED: "transfer beats the level's own model and the general one by more than {m}",
           LONGER: "transfer beats its rivals through longer training, not through level text",
           NOT: "transfer does not beat every rival by {m}"}}
SYSTEMS = {"general": "the general model", "level_token": "the general model with a level token",
           "{}_transfer": "the general model fine-tuned on {}", "{}": "the model of {} alone"}  # simplest first
EXPECTED = {"A1": (8, 20), "C1": (20, 40)}  # PPL, the plan's ranges


def outcome(verdict):
    """A verdict without its stamp and its level names: one of the constants above."""
    return verdict.split(" (")[0]


def _rows(contrasts, name):
    """The contrast `name`, a row per level, NaN where it was not made; ValueError if a level has two."""
    found = contrasts[contrasts["name"] == name].set_index("level")
    if found.index.has_duplicates:
        raise ValueError(f"{name} stands twice at one level: choose one mask_type and subset before deciding")
    rows = found.reindex(LEVELS)
    unknown = rows["theta"].isna() & rows["why"].isna()
    why = rows["why"].fillna("").mask(unknown, f"{name} was not compared")
    return rows.assign(why=why, provisional=rows["provisional"].eq(True))


def _p(rows, margin, side=1):
    """One-sided p by level of theta > margin, or with side=-1 of theta < margin."""
    return pd.Series(p_above(side * rows["theta"], rows["se"], rows["df"], side * margin), rows.index)


def overall(outcomes):
    """One verdict for five levels: theirs if they agree; else who holds; else refuted, if decided everywhere."""
    held = [level for level in LEVELS if outcomes[level] in HOLDS]
    if outcomes.nunique() == 1:
        return outcomes.iloc[0]
    if held:
        return SUPPORTED if len(held) == len(LEVELS) else f"{PARTLY} ({', '.join(held)})"
    return NOT if outcomes.isin([NOT, LONGER]).all() else INCONCLUSIVE


def _verdicts(hypothesis, rows, margin, p, p_holm, verdict, notes):
    """Verdict rows of five levels and `all`. The overall p is the largest: the claim needs every level."""
    outcomes = pd.Series(verdict, LEVELS)
    table = rows[["theta", "ci_lo", "ci_hi"]].assign(p=p, p_holm=p_holm, verdict=outcomes)
    table["why"] = ["; ".join(filter(None, both)) for both in zip(notes, rows["why"], strict=True)]
    table.loc[ALL, ["p", "p_holm"]] = table[["p", "p_holm"]].max(skipna=False)
    counted = [f"{one} at {', '.join(same)}" for one, same in outcomes.groupby(outcomes, sort=False).groups.items()]
    table.loc[ALL, ["verdict", "why"]] = [overall(outcomes), "; ".join(counted)]
    stamped = np.array([*rows["provisional"], rows["provisional"].any()]) & (table["verdict"] != NA)
    table["robust"] = np.where(table["verdict"] == NA, NA, "untested")
    table["verdict"] += np.where(stamped, STAMP, "")
    return table.rename_axis("level").reset_index().assign(hypothesis=hypothesis, margin=margin)[VERDICTS]


def h1(contrasts, params):
    """Specialisation matters: theta(general, own) > ln 1.10, Holm over the levels."""
    rows, margin = _rows(contrasts, "general-own"), np.log1p(params.h1_margin)
    p, strong = _p(rows, margin), holm(_p(rows, np.log1p(params.h1_strong))) < params.alpha
    verdict = np.select([p.isna(), holm(p) < params.alpha, _p(rows, margin, -1) < params.alpha],
                        [NA, SUPPORTED, NOT], INCONCLUSIVE)
    notes = np.where(strong, f"strong: shown above {100 * params.h1_strong:.0f} % too", "")
    return _verdicts("H1", rows, margin, p, holm(p), verdict, notes)


def h2(contrasts, params):
    """The general model suffices: theta(general, best) < ln 1.10, best being the specialist best on valid. No
    correction, since the overall claim needs all levels. Equivalence is two one-sided tests."""
    rows, margin = _rows(contrasts, "general-best"), np.log1p(params.h2_margin)
    p, shown = _p(rows, margin, -1), params.alpha
    equivalent = (p < shown) & (_p(rows, -margin) < shown)
    verdict = np.select([p.isna(), _p(rows, -margin, -1) < shown, equivalent, p < shown, _p(rows, margin) < shown],
                        [NA, GENERAL_BETTER, EQUIVALENT, SUPPORTED, NOT], INCONCLUSIVE)
    notes = [f"best specialist on valid: {b}" if isinstance(b, str) else "" for b in rows["b"]]
    return _verdicts("H2", rows, margin, p, np.nan, verdict, notes)


def h3(contrasts, params):
    """Transfer is best: theta(own, transfer) and theta(general, transfer) > ln 1.02, by the larger p, Holm over the
    levels; where the general model continued as long was run, that contrast counts too. The row shows the contrast
    with the largest p. Refuted if one of the two is shown below the margin, at alpha / 2 each."""
    tests, margin = [_rows(contrasts, name) for name in H3_TESTS], np.log1p(params.h3_margin)
    above, below = (pd.concat([_p(rows, margin, side) for rows in tests], axis=1) for side in (1, -1))
    both, ran = above[[0, 1]].max(axis=1, skipna=False), above[2].notna()
    p, beats_both = np.fmax(both, above[2]).where(both.notna()), holm(both) < params.alpha
    verdict = np.select([both.isna(), holm(p) < params.alpha, beats_both & (below[2] < params.alpha),
                         below[[0, 1]].min(axis=1) < params.alpha / 2], [NA, SUPPORTED, LONGER, NOT], INCONCLUSIVE)
    weakest = above.fillna({0: 2, 1: 2, 2: -1}).idxmax(axis=1)  # a missing rival shows why, a missing control not
    rows = pd.concat(tests, keys=range(3)).loc[list(zip(weakest, LEVELS, strict=True))].droplevel(0)
    rows["provisional"] = np.any([one["provisional"] for one in tests], axis=0)
    control = np.select([verdict == NA, ~ran, beats_both & (verdict == INCONCLUSIVE)],
                        ["", "; longer training not excluded: no general model was continued as long",
                         "; longer training not excluded: the general model continued as long is not shown beaten"], "")
    notes = np.where(verdict == NA, "", "least over " + rows["a"].astype(str) + control)
    return _verdicts("H3", rows, margin, p, holm(p), verdict, notes)


def decide(contrasts, params, checks=None):
    """Verdict rows of H1, H2, H3 from contrasts of one mask_type and subset; all invalid if a check fails."""
    table = pd.concat([rule(contrasts, params) for rule in (h1, h2, h3)], ignore_index=True)
    if checks is not None and not checks["holds"].all():
        failed = checks[~checks["holds"].astype(bool)]
        table[["verdict", "robust", "why"]] = [INVALID, NA, "; ".join(failed["check"] + ": " + failed["detail"])]
    return table


def preconditions(scores, mask_hashes, truncated, training, weights, step0):
    """What must hold before any verdict: table check, holds, detail (who breaks it). Unknown does not hold.

    scores: the long table. Per model: mask_hashes, truncated (examples cut), training (frame text_id, learner_id;
    empty for an untrained model). Per trained run: weights and step0, hashes after and before training."""
    models, hashes = sorted(set(scores["model"])), list(weights.values())
    masks = {model: mask_hashes.get(model) for model in models}
    one_mask = len(set(masks.values())) == 1 and None not in masks.values()
    items = scores.groupby(["text_id", "mask_type", "mask_set"])["n_tokens"].agg(["min", "max", "size"])
    runs = len(scores[["model", "seed"]].drop_duplicates())
    uneven = items[(items["min"] != items["max"]) | (items["size"] != runs)].index.unique("text_id")
    culprits = {"masks equal for all models": [] if one_mask else [f"{model} {mask}" for model, mask in masks.items()],
                "tokens equal for all models": [f"text {text}" for text in uneven] if len(items) else ["no scores"],
                "nothing truncated": [m for m in models if truncated.get(m) != 0],
                "no test text in training": _who_saw(scores, training, "text_id"),
                "no test learner in training": _who_saw(scores, training, "learner_id"),
                "weights differ": [run for run, one in weights.items() if hashes.count(one) > 1
                                   or step0.get(run, one) == one] if weights else ["none known"]}
    rows = [(check, not who, ", ".join(who[:5]) or "none") for check, who in culprits.items()]
    return pd.DataFrame(rows, columns=["check", "holds", "detail"])


def _who_saw(scores, training, column):
    """Models whose training list is unknown or holds a test id; empty ids are nobody's."""
    test, models = set(scores[column].dropna().astype(str)) - {""}, sorted(set(scores["model"]))
    return [m for m in models if m not in training or test & set(training[m][column].dropna().astype(str))]


def robustness(decide, contrasts, alternatives):
    """Verdict rows of decide(contrasts) with `robust`: yes, "no: by X", "untested: Y". alternatives: {name: contrasts,
    or None where there are none}; one that cannot test what the verdict tested counts as untested."""
    verdicts = decide(contrasts).set_index(KEY)
    base, *others = (one if one is None else decide(one).set_index(KEY)["verdict"].str.removesuffix(STAMP)
                     for one in (contrasts, *alternatives.values()))
    for key in base.index[~base.isin([NA, INVALID])]:
        cells = [key] if key[1] != ALL else [(key[0], level) for level in LEVELS]
        failed, untested = [], [] if alternatives else ["everything"]
        for name, one in zip(alternatives, others, strict=True):
            if one is None or any(one[cell] == NA != base[cell] for cell in cells):
                untested.append(name)
            elif one[key] != base[key]:
                failed.append(f"by {name}")
        parts = {"no": failed, "untested": untested}
        verdicts.loc[key, "robust"] = "; ".join(f"{k}: {', '.join(v)}" for k, v in parts.items() if v) or "yes"
    return verdicts.reset_index()[VERDICTS]


def plan_criteria(matrix, valid_ppl):
    """The plan's own criteria, word for word, as rows of seed_criteria.csv: criterion, level, value, passed, note
    (the definition taken here, and why it cannot decide alone). valid_ppl: {model: final validation PPL}."""
    models, low, high = [level.lower() for level in LEVELS], -np.inf, np.inf
    ppl = matrix[matrix["mask_type"] == "mix"].pivot(index="model", columns="test", values="ppl")
    ppl = ppl.reindex([*models, "general", "a1_transfer"], columns=[*LEVELS, MIXED])
    general, best = ppl.loc["general"], ppl.loc[models].min()
    own = pd.Series(np.diag(ppl.loc[models, LEVELS]), LEVELS)
    others = np.log(ppl.loc[models, LEVELS]).mask(np.eye(len(LEVELS), dtype=bool))  # for geometric means
    alone = [np.exp(np.log(general[LEVELS].drop(level)).mean()) / general[level] for level in LEVELS]
    rows = [  # values by level, the range that passes, the note
        ("Specialization Gain >= 25%", 100 * (general[LEVELS] / own - 1), 25, high,
         "general PPL / own PPL - 1, in %. No interval: H1 asks that a gain be shown."),
        ("Level Specificity >= 3x", np.exp(others.mean(axis=1).set_axis(LEVELS)) / own, 3, high,
         "own model: PPL on the other levels' texts (geometric mean) / PPL on its level's. Easy texts raise it for any "
         f"model: the general one alone has {', '.join(f'{x:.1f}' for x in alone)} from A1 to C1."),
        ("PPL within 10% of best per-CEFR", 100 * (general / best - 1)[LEVELS], low, 10,
         "general PPL / lowest PPL of the five level models - 1, in %. No interval, the best is picked on the test "
         "texts, and it cannot hold together with a gain of 25 %."),
        ("3-8x better", np.exp(others.mean()) / own, 3, high,
         "on the level's texts, PPL of the other levels' models (geometric mean) / PPL of the own one; above 8 passes "
         "too. A wrong level is not the general model."),
        ("Not worse than general model", 100 * (own / general[LEVELS] - 1)[["C1"]], low, 0,
         "own PPL / general PPL - 1, in %. No interval: between equal models chance alone decides it."),
        ("Best on combined test set", 100 * (general / best - 1)[[MIXED]], low, 0,
         "general PPL / lowest PPL of the five level models - 1 on all levels' texts, in %. Each level model meets "
         "four foreign levels there, so it says little about any level."),
        ("If transfer > A1-only: valuable", 100 * (ppl.loc["a1"] / ppl.loc["a1_transfer"] - 1)[["A1"]], 0, high,
         "A1 model's PPL / transfer's - 1, in %. No interval, and the general model may be as good: see H3."),
        *((f"{level} {a}–{b}", own[[level]], a, b, "own PPL. Tokenizer and masks move it more than any hypothesis.")
          for level, (a, b) in EXPECTED.items()),
        *(("Final validation perplexity < 50", pd.Series({role(model)[1] or MIXED: value}), low, 50,
           f"{model}: PPL on its own valid texts. It compares no two models.") for model, value in valid_ppl.items())]
    table = pd.DataFrame([(name, level, value, NA if np.isnan(value) else "pass" if a <= value <= b else "fail", note)
                          for name, values, a, b, note in rows for level, value in values.items()])
    return table.set_axis(["criterion", "level", "value", "passed", "note"], axis=1)


def recommend(contrasts, matrix, cost, params):
    """{level: what to use}: the simplest system shown, one-sided at alpha, within 2 % of each other system and so of
    the best; if there is none, the lowest PPL, marked uncertain. contrasts: primary rows of every pair of SYSTEMS,
    either way round; cost: model, hours (with what its start took), megabytes. None stands for not known."""
    return {level: _recommend(level, contrasts[contrasts["level"] == level], matrix, cost.set_index("model"), params)
            for level in LEVELS}


def _recommend(level, contrasts, matrix, cost, params):
    names = {key.format(level.lower()): words.format(level) for key, words in SYSTEMS.items()}
    ppl = matrix[(matrix["test"] == level) & (matrix["mask_type"] == "mix")].set_index("model")["ppl"]
    ppl = ppl.reindex(list(names)).dropna()
    if ppl.empty:
        return {"model": None, "sentence": f"{level}: no recommendation, since nothing was tested there."}
    back = contrasts.rename(columns={"a": "b", "b": "a", "ci_lo": "ci_hi", "ci_hi": "ci_lo"})
    signs = ["theta", "ci_lo", "ci_hi"]
    pairs = pd.concat([contrasts, back.assign(**-back[signs])]).drop_duplicates(["a", "b"]).set_index(["a", "b"])
    pairs["p"] = p_above(-pairs["theta"], pairs["se"], pairs["df"], -np.log1p(params.recommend_within))
    close = [a for a in ppl.index if len(ppl) > 1
             and all(pairs["p"].get((a, b), 1) < params.alpha for b in ppl.index.drop(a))]
    model = close[0] if close else ppl.idxmin()
    low, high = 100 * np.expm1(pairs.reindex([("general", model)])[["ci_lo", "ci_hi"]].iloc[0])
    numbers = {"gain_lo": low, "gain_hi": high, **cost.reindex([model])[["hours", "megabytes"]].iloc[0]}
    found = {"model": model, "certain": bool(close), "provisional": bool(pairs["provisional"].any()),
             **{key: None if np.isnan(x) else float(x) for key, x in numbers.items()}}
    return found | {"sentence": _advice(level, names[model], found, 100 * params.recommend_within)}


def _advice(level, name, found, within):
    text = (f"{level}: use {name}, the simplest system shown within {within:.0f} % of the best" if found["certain"] else
            f"{level}: {name} comes first, but no system is shown within {within:.0f} % of the best: uncertain")
    if found["gain_lo"] is not None:
        text += f"; gain over the general model {found['gain_lo']:+.1f} to {found['gain_hi']:+.1f} %"
    if found["hours"] is not None:
        text += f"; {found['hours']:.2g} hours of training, {found['megabytes']:.0f} MB"
    return text + (f"{STAMP}." if found["provisional"] else ".")


def _claim(row):
    """The words of a verdict row, without full stop."""
    one, claims, every = outcome(row["verdict"]), CLAIMS[row["hypothesis"]], row["level"] == ALL
    claim = claims.get(one, claims[SUPPORTED]).format(m=f"{100 * np.expm1(row['margin']):.0f} %")
    where = "At every level" if every else f"At {row['level']}"
    named = row["verdict"].removesuffix(STAMP).partition(" (")[2].rstrip(")").rsplit(", ", 1)
    special = {PARTLY: f"Only at {' and '.join(named)} is it shown that {claim}",
               INVALID: f"No verdict{'' if every else f' at {where[3:]}'} on whether {claim}",
               NA: f"{'At no level could it' if every else f'{where} it could not'} be tested whether {claim}",
               INCONCLUSIVE: f"At no level is it shown that {claim}, yet not every level excludes it" if every
               else f"{where} it stays open whether {claim}"}
    return special.get(one, f"{where} {claim}")


def title(hypothesis, verdicts):
    """The overall conclusion, as a figure's title."""
    row = verdicts[(verdicts["hypothesis"] == hypothesis) & (verdicts["level"] == ALL)].iloc[0]
    return _claim(row) + (STAMP if row["verdict"].endswith(STAMP) else "")


def sentence(row):
    """A verdict row in plain English: the claim, the stamp, the gain with its interval, why, and how robust."""
    low, mid, high = 100 * np.expm1(row[["ci_lo", "theta", "ci_hi"]].astype(float))
    gain = "" if np.isnan(mid) else f": {mid:+.1f} % in perplexity, interval {low:+.1f} to {high:+.1f} %"
    stamp = STAMP if row["verdict"].endswith(STAMP) else ""
    why = f" ({row['why']})" if isinstance(row["why"], str) and row["why"] else ""
    return f"{_claim(row)}{stamp}{gain}{why}." + ("" if row["robust"] == NA else f" Robust: {row['robust']}.")
