"""The folder that may be shared: runs/<experiment>/share/, of aggregates only, built only if the share check is clean.

Weights are included only if the memorisation report has cleared them; executed notebooks only as pages, without
images, whose letters cannot be checked.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from lib import design
from lib.errors import LeakFound, MissingResult
from lib.experiment import manifest
from lib.experiment.files import file_hash, read_json, write_json, write_table
from lib.experiment.folders import existing_experiment
from lib.formatting import Sentences
from lib.sharing import leak_check, notebook_pages, paper, report, weights
from lib.sharing.aggregates import Study
from lib.sharing.leaks import public_texts
from lib.sharing.leaks.letter_search import NGRAM
from lib.sharing.small_cells import SMALL

CHECKED = "checked.json"  # hashes of the files of a folder that may be shared
NAMED = 5  # files in a message
CELL = re.compile(r"cells (\d+)")
MODEL_CARD = "README.md"
MODEL_FILES = [MODEL_CARD, "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
TEXT_SUFFIXES = {".html", ".csv", ".md", ".tex", ".json"}
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
ROUNDED = 0.02  # of a number, by which it may differ in a text
SAY = Sentences(__file__)


def stage(run, folder, with_weights=False, notebooks=False):
    """Put everything that would be shared into `folder`. Raises LeakFound for weights that nobody has cleared."""
    study = Study(run)
    models = [model_run for model_run in study.trained if may_be_described(study, *model_run)]
    if with_weights:  # before minutes are spent on drawing
        for model, seed in models:
            weights.require_cleared(run, model, seed)
        weights.require_common_vocabulary(run)
    report.write(study, folder)
    paper.write(study, folder / "paper")
    shutil.copy2(run.root / "CITATION.cff", folder)
    for name, table in study.tables.items():
        write_table(table, folder / f"tables/{name}.csv")
    for model, seed in models:
        target = folder / f"cards/{model}/seed{seed}"
        _copy_model(run.model(model, seed), target, with_weights)
        if study.start_is_hidden(model, seed):
            _remove_number(target / MODEL_CARD, study.trained[model, seed]["start_perplexity"])
    if notebooks:
        notebook_pages.write_notebooks(run, folder / "notebooks", images=False)
    shorten_paths(study, folder)
    text = SAY("readme", name=run.name, small=SMALL, weights=with_weights)
    (folder / "README.md").write_text(f"{text}\n", encoding="utf-8")


def shorten_paths(study, folder):
    """Name corpus files, base models and tokenizers from folders by the last part of their path in all texts of
    `folder`: a path may reveal who works where."""
    names = _names_of_paths(study)
    for file in [file for file in leak_check.list_files([folder]) if file.suffix in TEXT_SUFFIXES]:
        text = file.read_text(encoding="utf-8")
        for path in sorted(names, key=len, reverse=True):
            text = text.replace(path, names[path])
        file.write_text(text, encoding="utf-8")


def _names_of_paths(study):
    """{path as a text may spell it: its last part} of all files and folders that the study was given."""
    run = study.run
    inputs = read_json(run.folder / "corpus" / manifest.MANIFEST)["inputs"]
    named = {report["init_from"] for report in study.trained.values()} | {study.masks["parameters"]["tokenizer"]}
    given = {Path(os.path.abspath(name)) for name in named if os.sep in name and os.path.exists(name)}
    given |= {(run.folder / name).resolve() for name in inputs if name.startswith("..")}
    names = {}
    for path in given:
        names[str(path)] = path.name
        for start in [run.root, run.root / "notebooks"]:
            names[os.path.relpath(path, start)] = path.name
    return names


def may_be_described(study, model, seed):
    """Is the model trained, and does its card's perplexity rest on SMALL learners or more?"""
    return study.trained[model, seed]["status"] == "trained" and design.level_of(model) not in study.small["valid"]


def _copy_model(source, target, with_weights):
    target.mkdir(parents=True)
    for name in [*MODEL_FILES, weights.WEIGHTS] if with_weights else [MODEL_CARD]:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)  # without its mode: saved weights are readable by owner only


def _remove_number(card, number):
    """Remove the lines of a model card that contain a number, however it is rounded."""
    lines = card.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not any(_rounds_to(found, number) for found in NUMBER.findall(line))]
    card.write_text("".join(kept), encoding="utf-8")


def _rounds_to(text, number):
    return abs(float(text.replace(",", "")) - number) <= ROUNDED * number


def check_files(run, paths):
    """(findings of the share check in these files and folders, number of files)."""
    texts = run.require(run.texts, "01_extract")
    certified = weights.weight_hashes(run) | paper.drawn_hashes(run)
    findings = leak_check.check(
        paths,
        texts,
        learners_known=run.corpus_report()["learners_known"],
        public=public_texts.published(paths, run.root),
        certified=certified,
        decode_ids=_decoder(run),
    )
    return findings, len(leak_check.list_files(paths))


def _decoder(run):
    """From token ids to text, with the tokenizer of the run; unknown ids are skipped."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(run.require(run.tokenizer, "02_mask") / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    return lambda ids: tokenizer.decode([number for number in ids if number < size])


@contextlib.contextmanager
def _staged(run, with_weights, notebooks):
    """A folder with all that would be shared; it is deleted afterwards, unless it was moved."""
    folder = run.folder / "share.unchecked"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        print("Building what would be shared, then looking it up in the corpus.", flush=True)
        stage(run, folder, with_weights, notebooks)
        counts = Counter(file.relative_to(folder).parts[0] for file in leak_check.list_files([folder]))
        print("Files:", ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(counts.items())))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check(experiment, weights, notebooks, files=()):
    """Print what the share check finds in these files and folders; without any, in all that `build` would share and in
    the folder that it has built.

    Returns 1 if it finds anything, else 0. weights, notebooks: as in `stage`.
    """
    run = existing_experiment(experiment)
    command = f"make share-check EXPERIMENT={run.name}"
    if files:
        return _report_findings(run, files, f'{command} FILES="{" ".join(map(str, files))}"')
    built = [run.folder / "share"] if (run.folder / "share").exists() else []
    with _staged(run, weights, notebooks) as folder:
        return _report_findings(run, [folder, *built], command)


def build(experiment, weights, notebooks):
    """Build runs/<experiment>/share/ if its check is clean; returns 1 if it is not. See `stage`.

    Raises LeakFound, and builds nothing, where that folder has files of a user.
    """
    run = existing_experiment(experiment)
    _require_own_files(run.folder / "share")
    with _staged(run, weights, notebooks) as folder:
        if _report_findings(run, [folder], f"make share EXPERIMENT={run.name}"):
            return 1
        rule = f"no {NGRAM} words in a row that fewer than {leak_check.FEW_LEARNERS} learners wrote"
        hashes = {str(file.relative_to(folder)): file_hash(file) for file in leak_check.list_files([folder])}
        write_json({"files": hashes, "rule": rule}, folder / CHECKED)
        shutil.rmtree(run.folder / "share", ignore_errors=True)
        folder.rename(run.folder / "share")
        print(f"{run.folder / 'share'} may be shared.")
        return 0


def _require_own_files(folder):
    """Raise LeakFound where a folder has files that `build` has not written, or has written otherwise."""
    found = leak_check.list_files([folder]) if folder.exists() else []
    written = read_json(folder / CHECKED)["files"] if (folder / CHECKED).is_file() else {}
    other = [file for file in found if file != folder / CHECKED and not _is_written(file, folder, written)]
    if other:
        names = [str(file.relative_to(folder)) for file in other]
        named = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        raise LeakFound(
            f"{folder} holds files that make share has not written as they are, and would delete: {named}. "
            "Move what you need to another folder, delete the rest, then run make share again."
        )


def _is_written(file, folder, written):
    return file.is_file() and written.get(str(file.relative_to(folder))) == file_hash(file)


def _report_findings(run, paths, command):
    findings, n_files = check_files(run, paths)
    if not n_files:
        raise MissingResult(f"There is no file in {', '.join(map(str, paths))}: nothing was checked.")
    leak_check.print_findings(findings, n_files, command)
    for line in _cells_to_clear(run, findings):
        print(line)
    return int(len(findings) > 0)


def _cells_to_clear(run, findings):
    """A sentence for each notebook of which a page was refused: which cells show what was found."""
    pages = [file for file in map(Path, findings["file"]) if file.parent.name == "notebooks" and file.suffix == ".html"]
    sources = {run.folder / f"notebooks/{page.name.split('.')[0]}.ipynb" for page in pages}
    sources = sorted(source for source in sources if source.exists())
    if not sources:
        return
    with tempfile.TemporaryDirectory(dir=run.folder) as folder:
        for source in sources:
            notebook_pages.write_shown(source, Path(folder) / source.name)
        found, _ = check_files(run, [Path(folder)])
    for source in sources:
        positions = [place for file, place in zip(found["file"], found["position"]) if Path(file).name == source.name]
        cells = sorted({int(cell[1]) for cell in map(CELL.match, positions) if cell})
        numbers = f"cell{'s' if len(cells) > 1 else ''} {', '.join(map(str, cells))}"
        where = f"{numbers} (counted from 1, with those of text)" if cells else "several cells"
        yield f"The pages of {source} show it in {where}: clear the outputs there, or change the text, and save it."
