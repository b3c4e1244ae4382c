"""Which level wrote this text? The calibrated classifier of make identify, applied to a text of one's own."""

import numpy as np
import pandas as pd

from lib.errors import UserError
from lib.evaluation import scoring
from lib.experiment.files import read_json
from lib.experiment.folders import IDENTIFICATION, OWN_TEXTS
from lib.identification import classifiers
from lib.identification.text_scores import MODELS
from lib.masking import frozen_masks, token_index
from lib.masking.examples import first_special_of

N_SHOWN = 2  # most probable levels


def calibrated_level(panel, text):
    """A sentence: the most probable levels of a text and how often the classifier is right, or why there is none.

    panel: a ModelPanel, whose models score the text on blanks that are drawn as those of the study's test texts.
    """
    facts, reason = read_classifier(panel.run)
    if reason:
        return f"No calibrated level: {reason}"
    models = {level: MODELS[facts["kind"]](level) for level in facts["classifier"]["models"]}
    absent = [model for model in models.values() if model not in panel.facts]
    if absent:
        return f"No calibrated level: {', '.join(absent)} cannot be queried."
    examples = masked_examples(panel.run.mask_settings(), panel.tokenizer, text.strip())
    if examples is None:
        return "No calibrated level: the text is too short, or too long, for blanks like those of the study."
    log_ppl = {level: log_perplexity(panel.network(model), *examples) for level, model in models.items()}
    return sentence(facts, pd.DataFrame(log_ppl, index=[0]))


def read_classifier(run):
    """(classifier.json of a run as a dict, None), or (None, the reason why there is none that can be used)."""
    file = run.folder / IDENTIFICATION / OWN_TEXTS / classifiers.FILE
    remedy = f"make identify EXPERIMENT={run.name} fits one."
    if not file.exists():
        return None, remedy
    try:
        facts = read_json(run.require(file, "make identify"))
    except UserError as error:
        return None, f"{str(error).splitlines()[0]} {remedy}"
    if facts["classifier"] is None:
        return None, f"{facts['remark']}."
    return facts, None


def masked_examples(mask_settings, tokenizer, text):
    """(keys, tokens, roles) of the masks of the training mix that 02 would draw of this text, or None without masks.

    The text is its own id, which selects the random numbers: with one id for all, all would have alike blanks.
    """
    table = pd.DataFrame({"text_id": [text], "text": [text]})
    index = token_index.build_index(table, tokenizer, mask_settings.splitter, mask_settings.max_length)
    if not len(index):
        return None
    drawn = frozen_masks.draw_frozen(index, mask_settings, "training_mix", mask_settings.frozen_masks_per_text)
    if not len(drawn):
        return None
    return scoring.frozen_examples(index, drawn, first_special_of(tokenizer))


def log_perplexity(network, keys, tokens, roles):
    """ln perplexity of the text's blanks, all masks together."""
    scores = scoring.score(network, keys.assign(mask_type="answers only"), tokens, roles)
    return scores["nll_text"].sum() / scores["n_tokens"].sum()


def sentence(facts, log_ppl):
    """The most probable levels in words. facts: classifier.json; log_ppl: one row, the models' levels as columns."""
    of_models = log_ppl[facts["classifier"]["models"]]
    shares = classifiers.probabilities(facts["classifier"], classifiers.features(of_models))[0]
    best = np.argsort(-shares, kind="stable")[:N_SHOWN]
    named = ", ".join(f"{facts['classifier']['levels'][n]} ({shares[n]:.0%})" for n in best)
    known = "" if not facts["remark"] else f" It knows {', '.join(facts['classifier']['levels'])} only."
    return (
        f"Calibrated level, from the {facts['kind']}: {named}. The classifier (make identify) is right for "
        f"{facts['accuracy']:.0%} of {facts['n_texts']:,} test texts.{known}"
    )
