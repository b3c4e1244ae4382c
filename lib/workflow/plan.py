"""What a study will need on a machine, before it runs: a table, one row a model, and the sums; and the graph, drawn."""

import math
import shutil
import subprocess
import sys
from pathlib import Path

from lib import formatting
from lib.experiment import lock, parameters
from lib.experiment.files import atomic_write
from lib.workflow import arguments, estimates

SAY = formatting.Sentences(__file__)
LARGE = 10**8  # bytes of a corpus, above which its texts are not counted: reading would take minutes


def schedule(jobs, at_once):
    """When each job ends, as hours from the start, if the longest chain goes first.

    jobs: {name: (hours, name of the job it waits for or None)}; at_once: jobs side by side.
    """
    after = {name: [other for other in jobs if jobs[other][1] == name] for name in jobs}

    def chain(name):
        return jobs[name][0] + max(map(chain, after[name]), default=0)

    ends, free = {}, [0.0] * at_once
    waiting = sorted(jobs, key=chain, reverse=True)
    while waiting:
        ready = [name for name in waiting if jobs[name][1] is None or jobs[name][1] in ends]
        at = {name: max(min(free), ends.get(jobs[name][1], 0.0)) for name in ready}
        name = min(ready, key=lambda name: (at[name], waiting.index(name)))
        free[free.index(min(free))] = ends[name] = at[name] + jobs[name][0]
        waiting.remove(name)
    return ends


def jobs_of(needed, models):
    """The trainings and evaluations of a study as `schedule` takes them. needed: {model: planning.model(...)}."""
    jobs = {}
    for name, one in needed.items():
        base = models[name].init_from
        jobs[name] = one["train_hours"], base if base in models else None
        jobs[f"{name}, evaluated"] = one["evaluate_hours"], name
    return jobs


def table(needed, models, machine):
    """The lines of the table."""
    lines = [["model", "seeds", "devices", "parameters", "tokens a seed", "training", "evaluation"]]
    lines[0] += ["memory", "disk", "jobs"]
    for name, one in needed.items():
        sizes = [f"{one['parameters'] / 1e6:.1f} M", f"{one['tokens'] / 1e6:,.1f} M"]
        hours = [formatting.format_hours(one[f"{what}_hours"]) for what in ["train", "evaluate"]]
        room = [formatting.format_gigabytes(one[f"{what}_gb"]) for what in ["memory", "disk"]]
        jobs = str(math.ceil(one["train_hours"] / machine.max_hours))
        settings = models[name]
        lines.append([name, str(len(settings.seeds)), str(settings.devices), *sizes, *hours, *room, jobs])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def texts(home, corpus, settings):
    """(`planning.lengths`, whose they are): of the run in home where it has indexed this corpus; counted in its files;
    or EFCAMDAT's. corpus: as CORPUS names it; settings: a `schemas.Corpus`."""
    last = lock.last_run(home).get("corpus")
    if (home / "masks/index.parquet").exists() and corpus in ("", last):
        return estimates.lengths(home), f"those of {home}"
    files = [file for file in arguments.corpus_files(corpus) if Path(file).exists()]
    if files and sum(Path(file).stat().st_size for file in files) <= LARGE:
        return estimates.counted(files, settings), f"those of {corpus}, in GPT-2's tokens"
    large = f"{corpus} is too large to be counted in passing" if files else "CORPUS=file counts those of a file"
    return estimates.lengths(), f"as in EFCAMDAT; {large}"


def show(experiment, corpus, params, profile):
    """Print and draw the plan of an experiment with these parameters on the machine of this profile.

    corpus: a list of files, or of what CORPUS names; of none, texts are counted as in EFCAMDAT.
    """
    experiment, corpus = arguments.complete(experiment, corpus, params)
    machine, asked, home = parameters.load_machine(profile), parameters.load_profile(params), Path("runs") / experiment
    models = {name: p for name, p in asked.items() if isinstance(p, parameters.Train)}
    rate = 1e12 * machine.tflops if machine.tflops else estimates.matrix_rate(machine.device)
    known, whose = texts(home, corpus, asked["corpus"])
    needed = {name: estimates.model(p, asked["masks"], machine, rate, known) for name, p in models.items()}
    print(*table(needed, models, machine), sep="\n")
    jobs = jobs_of(needed, models)
    hours = {"all": sum(one for one, _ in jobs.values()), "chain": max(schedule(jobs, len(jobs)).values())}
    hours["side_by_side"] = max(schedule(jobs, machine.parallel_jobs).values())
    told = {
        "time": {name: formatting.format_hours(one) for name, one in hours.items()},
        "machine": machine,
        "whose": whose,
    }
    told["disk"] = formatting.format_gigabytes(sum(one["disk_gb"] for one in needed.values()))
    told["speed"] = f"{rate / 1e12:.3g} TFLOP/s {'by machine.yaml' if machine.tflops else 'as just measured'}"
    print(SAY("sums", n_texts=sum(n for n, _ in known.values()), **told))
    _draw(home, arguments.config(experiment, corpus, params, profile))


def _draw(home, config):
    """The graph of rules as home/plan.svg, by graphviz; says what is missing otherwise."""
    if not shutil.which("dot"):
        print("No picture: graphviz's dot is not installed.")
        return
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", "--quiet", "all", "--nolock", "--config"]
    graph = subprocess.run([*command, *config], capture_output=True, text=True)
    if graph.returncode:
        print(f"No picture: {(graph.stderr.strip().splitlines() or ['the graph needs the corpus, CORPUS=file'])[-1]}")
        return
    with atomic_write(home / "plan.svg") as file:
        subprocess.run(["dot", "-Tsvg", "-o", file], input=graph.stdout, text=True, check=True)
    print(f"The graph: {home}/plan.svg")
