"""The folder that may leave: runs/<experiment>/share/, of aggregates only, and only once the share check finds nothing.

    python -m lib.sharing EXPERIMENT build            # WEIGHTS=yes, NOTEBOOKS=yes in the environment ask for more
    python -m lib.sharing EXPERIMENT check [FILE ...]

Weights go along only where memorisation.json says of each model that they may; executed notebooks only as pages,
without pictures, whose letters nobody can check.
"""

import os
import shutil
import sys
from pathlib import Path

from lib import manifest, pages, paper, report, share, stats
from lib.aggregate import SMALL, Study
from lib.files import digest
from lib.request import existing
from lib.runs import Missing, need, read_json, write_json, write_table

MODEL_FILES = ["README.md", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
WEIGHTS = "model.safetensors"  # order.parquet, the list of texts in training order, never leaves
MAY = "may leave"  # lib/memorisation.py's verdict
READ_ME = """# Results of the study {name}

- `report.html`: everything in one page; it opens by a double-click and needs no network
- `tables/`: the numbers as CSV; what rests on fewer than {small} learners is left out
- `paper/`: methods, data statement, LaTeX tables, figures (PDF, SVG, PNG, each beside its table), references
- `cards/`: what each model is{weights}; none where its numbers rest on fewer than {small} learners
- `CITATION.cff`: how to cite

No text of the corpus is in here: no run of eight words that fewer than five learners wrote (`share-check`).
"""


class Refused(RuntimeError):
    """Something would leave that must not."""


def stage(run, folder, weights=False, notebooks=False):
    """Put everything that would leave into `folder`. Raises Refused for weights of which nobody says that they may."""
    study = Study(run)
    report.write(study, folder)
    paper.write(study, folder / "paper")
    shutil.copy2(run.root / "CITATION.cff", folder)
    for name, table in study.tables.items():
        write_table(table, folder / f"tables/{name}.csv")
    for (model, seed), one in study.trained.items():
        few = stats.role(model)[1] in study.small["valid"]  # the card's perplexity rests on fewer than SMALL learners
        if one["status"] == "trained" and not few:
            heavy = weights and _may_leave(run, model, seed)
            _card(run.model(model, seed), folder / f"cards/{model}/seed{seed}", heavy)
    if notebooks:
        pages.write_notebooks(run, folder / "notebooks", pictures=False)
    also = ", with its weights" if weights else ""
    (folder / "README.md").write_text(READ_ME.format(name=run.name, small=SMALL, weights=also), encoding="utf-8")


def _card(source, target, weights):
    target.mkdir(parents=True)
    for name in [*MODEL_FILES, WEIGHTS] if weights else MODEL_FILES[:1]:
        if (source / name).exists():
            shutil.copy2(source / name, target)


def _may_leave(run, model, seed):
    """True if the memorisation report speaks of these very weights and says that they may leave; else Refused."""
    path = need(run.folder / "memorisation/memorisation.json", "make memorisation").resolve()
    told = read_json(path)["models"].get(f"{model}/seed{seed}")
    if told is None or told["weights"] != digest(run.model(model, seed) / WEIGHTS):
        raise Refused(f"{path} does not know the weights of {model}, seed {seed}, as they are now: make memorisation")
    if told["verdict"] != MAY:
        raise Refused(f"{model}, seed {seed}: {told['verdict']}: {told['why']}. Share without WEIGHTS=yes.")
    return True


def found_in(run, paths):
    """(findings of the share check in these files and folders, number of files)."""
    known = read_json(run.need(run.report, "01_extract"))["learners_known"]
    files = share.everything(paths)
    texts = run.need(run.texts, "01_extract")
    return share.check(files, texts, known, share.published(files, run.root)), len(files)


def main(name, what, paths):
    """Build the folder, or check what would be in it, or the given paths; returns the exit status."""
    run = existing(Path(name).name)
    asked = {word.lower(): os.environ.get(word) == "yes" for word in ("WEIGHTS", "NOTEBOOKS")}
    staged = run.folder / "share.unchecked"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        if not paths:
            stage(run, staged, **asked)
        findings, n_files = found_in(run, paths or [staged])
        again = f"make {'share' if what == 'build' else 'share-check'} EXPERIMENT={run.name}"
        share.tell(findings, n_files, again + (f' FILES="{" ".join(map(str, paths))}"' if paths else ""))
        if what == "build" and findings.empty:
            shutil.rmtree(run.folder / "share", ignore_errors=True)
            write_json({"files": {str(f.relative_to(staged)): digest(f) for f in share.everything([staged])},
                        "rule": f"no {share.split.NGRAM} words in a row that fewer than {share.FEW} learners wrote"},
                       staged / "checked.json")  # fmt: skip
            staged.rename(run.folder / "share")
            print(f"{run.folder / 'share'} may leave.")
        return int(len(findings) > 0)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], [Path(path) for path in sys.argv[3:]]))
    except (Missing, manifest.Stale, Refused, FileNotFoundError) as error:
        sys.exit(str(error))
