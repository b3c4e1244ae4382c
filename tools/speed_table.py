"""Write the table of speeds in docs/performance.md from bench/records/cpu.json, between its two marks."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.experiment.files import read_json

ROWS = {
    "sampling": "masks drawn, offsets known",
    "first_pass": "all work before the first step, with all processes of each side",
    "later_pass": "every later pass",
    "training_small": "training, the demo's model with GPT-2's vocabulary",
    "training_middle": "training, 4 layers of 256 numbers, GPT-2's vocabulary",
    "training_124m": "training, GPT-2's size",
    "training_demo": "training, the demo's model with the demo's vocabulary of 1,024",
    "evaluation": "evaluation, all span types",
    "infilling_one": "16 fillings of one context, the demo's model with GPT-2's vocabulary",
    "infilling_many": "one filling of each of 64 contexts, the same model",
    "infilling_one_middle": "16 fillings of one context, 4 layers of 256 numbers",
    "infilling_many_middle": "one filling of each of 64 contexts, 4 layers of 256 numbers",
}


def table(record):
    lines = ["| | upstream, s | here, s | times faster |", "|---|---|---|---|"]
    for part, words in ROWS.items():
        found = record[part]
        middle, low, high = (f"{found['ratio'][which]:.3g}" for which in ("median", "min", "max"))
        seconds = [f"{float(format(found[side]['median'], '.2g')):g}" for side in ("theirs", "ours")]
        lines.append(f"| {words} | {' | '.join(seconds)} | {middle} ({low} to {high}) |")
    return "\n".join(lines)


if __name__ == "__main__":
    page = Path("docs/performance.md")
    new = f"<!-- speed -->\n{table(read_json('bench/records/cpu.json'))}\n<!-- end speed -->"
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub("<!-- speed -->.*<!-- end speed -->", new, text, flags=re.S), encoding="utf-8")
