"""What the study finds on corpora whose answer is known: `.venv/bin/python bench/known_answers.py NAME ...`

Makes each corpus (identical_levels, disjoint_vocabularies), runs it with params/known_answers through `make run` as a
user would, and writes gains and verdicts beside the known answer to bench/records/known_answers.json.
"""

import json
import subprocess
import sys
import time

from record import facts

from lib.known_answers import CORPORA
from lib.runs import Experiment, read_csv


def found(name):
    corpus, experiment, began = f"runs/{name}.csv", f"known-{name}".replace("_", "-"), time.monotonic()
    subprocess.run([sys.executable, "-m", "lib.known_answers", name, corpus], check=True)
    command = ["make", "run", f"EXPERIMENT={experiment}", f"CORPUS={corpus}", "PARAMS=params/known_answers"]
    subprocess.run(command, check=True)
    run = Experiment(experiment, ".")
    contrasts = read_csv(run.compare("contrasts.csv")).query("mask_type == 'mix' and subset == 'unflagged'")
    gains = contrasts[contrasts["name"] == "general-own"].set_index("level")[["gain_pct", "gain_lo", "gain_hi"]]
    verdicts = read_csv(run.hypotheses("verdicts.csv")).query("hypothesis != 'H3'")
    return {
        "expected": "gains near 0, H1 never supported",
        "gain_pct": gains.round(2).T.to_dict(),
        "verdicts": verdicts.groupby("hypothesis")[["level", "verdict"]].apply(lambda v: dict(v.to_numpy())).to_dict(),
        "seconds": round(time.monotonic() - began),
    }


if __name__ == "__main__":
    results = {name: found(name) for name in sys.argv[1:] or CORPORA}
    with open("bench/records/known_answers.json", "w", encoding="utf-8") as file:
        json.dump(facts() | results, file, indent=2)
    print(json.dumps(results, indent=2))
