"""Which weights may be shared: only those that the memorisation report has cleared, and whose tokenizer holds no words
of few learners.
"""

import numpy as np
import pandas as pd

from lib.errors import LeakFound
from lib.evaluation import statistics
from lib.experiment import manifest
from lib.experiment.files import file_hash, read_json
from lib.experiment.folders import require_file
from lib.masking import token_index
from lib.sharing import leak_check

WEIGHTS = "model.safetensors"
MAY_BE_SHARED = "may be shared"  # lib/memorisation/assessment.py's verdict
FEWEST_LETTERS = 4  # of a token; shorter ones are pieces of words
SHOWN_TOKENS = 8


def require_cleared(run, model, seed):
    """Raise LeakFound unless the memorisation report is about these very weights and clears them."""
    path = require_file(run.folder / "memorisation/memorisation.json", "make memorisation").resolve()
    report = read_json(path)["models"].get(f"{model}/seed{seed}")
    if report is None or report["weights"] != file_hash(run.model(model, seed) / WEIGHTS):
        raise LeakFound(f"{path} does not know the weights of {model}, seed {seed}, as they are now: make memorisation")
    if report["verdict"] != MAY_BE_SHARED:
        raise LeakFound(f"{model}, seed {seed}: {report['verdict']}: {report['reason']}. Share without WEIGHTS=yes.")


def rare_tokens(index, merges, vocabulary, least):
    """Ids, sorted, of tokens of FEWEST_LETTERS letters or more that occur in the texts of fewer than `least` learners,
    alone or as part of longer tokens. A vocabulary trained on the corpus may hold a name in this way.

    index: a frame with ids and learner, a row for each text; merges: pairs of tokens, in the order of the BPE's
    training; vocabulary: {token: id}.
    """
    lengths = index["ids"].map(len)
    ids = np.concatenate([np.asarray(text_ids, np.int64) for text_ids in index["ids"]])
    used = pd.DataFrame({"id": ids, "learner": np.repeat(index["learner"].to_numpy(), lengths)}).drop_duplicates()
    common = set(used["id"].value_counts().loc[lambda counts: counts >= least].index)
    for left, right in reversed(merges):  # a merged token comes after its parts
        if vocabulary[left + right] in common:
            common |= {vocabulary[left], vocabulary[right]}
    words = {number for token, number in vocabulary.items() if _letters(token) >= FEWEST_LETTERS}
    trained = {vocabulary[left + right] for left, right in merges}
    return sorted((trained & words) - common)


def _letters(token):
    return sum(map(str.isalpha, token.strip("Ġ")))


def require_common_vocabulary(run):
    """Raise LeakFound where the tokenizer was trained on the corpus and holds words that few learners wrote."""
    if run.masks_report()["parameters"]["tokenizer"] != "bpe":
        return
    learners_known = run.corpus_report()["learners_known"]
    least = leak_check.FEW_LEARNERS if learners_known else leak_check.FEW_TEXTS
    file = run.require(run.tokenizer, "02_mask") / "tokenizer.json"
    texts = pd.read_parquet(run.require(run.texts, "01_extract"), columns=["text_id", "learner_id"])
    index = token_index.read_index(run.require(run.index, "02_mask"))[["text_id", "ids"]].merge(texts, on="text_id")
    index["learner"] = statistics.learner_codes(index, learners_known)[0]
    model = read_json(file)["model"]
    found = rare_tokens(index, model["merges"], model["vocab"], least)
    if not found:
        return
    shown = ", ".join(map(str, found[:SHOWN_TOKENS]))
    if len(found) > SHOWN_TOKENS:
        shown += ", …"
    raise LeakFound(
        f"{file} is shared with the weights, and {len(found)} of its tokens occur in the texts of fewer than {least} "
        f"learners: {shown}. They may be names. Set a smaller vocabulary_size, or tokenizer: gpt2, in masks.yaml and "
        "run the study again; or share without WEIGHTS=yes."
    )


def weight_hashes(run):
    """Hashes of all weights of the run, as the manifests of 03_train certify them."""
    manifests = [read_json(path) for path in run.folder.glob(f"models/*/seed*/{manifest.MANIFEST}")]
    return {content["files"][WEIGHTS] for content in manifests if WEIGHTS in content["files"]}
