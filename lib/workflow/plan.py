"""What a study will need on a machine, before it runs: a table with a row per model, the sums, and the graph."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lib import formatting
from lib.experiment import lock, parameters
from lib.experiment.files import atomic_write
from lib.workflow import arguments, estimates

SENTENCES = formatting.Sentences(__file__)
MAX_COUNTED = 10**8  # bytes of a corpus, above which its texts are not counted: reading would take minutes


def schedule(jobs, parallel_jobs):
    """{job: hours from the start to its end}, if the job with the longest chain behind it goes first.

    jobs: {name: (hours, name of the job it waits for, or None)}; parallel_jobs: jobs at a time.
    """
    successors = {name: [other for other in jobs if jobs[other][1] == name] for name in jobs}

    def chain_hours(name):
        return jobs[name][0] + max(map(chain_hours, successors[name]), default=0)

    ends = {}
    slot_free_at = [0.0] * parallel_jobs
    waiting = sorted(jobs, key=chain_hours, reverse=True)
    while waiting:
        ready = [name for name in waiting if jobs[name][1] is None or jobs[name][1] in ends]
        starts = {name: max(min(slot_free_at), ends.get(jobs[name][1], 0.0)) for name in ready}
        name = min(ready, key=lambda name: (starts[name], waiting.index(name)))
        ends[name] = starts[name] + jobs[name][0]
        slot_free_at[slot_free_at.index(min(slot_free_at))] = ends[name]
        waiting.remove(name)
    return ends


def study_jobs(needs, models):
    """The trainings and evaluations of a study, for `schedule`. needs: {model: estimates.model(...)}."""
    jobs = {}
    for name, need in needs.items():
        base = models[name].init_from
        jobs[name] = need["train_hours"], base if base in models else None
        jobs[f"{name}, evaluated"] = need["evaluate_hours"], name
    return jobs


def table(needs, models, machine):
    """The lines of the table."""
    rows = [["model", "seeds", "devices", "parameters", "tokens a seed", "training", "evaluation"]]
    rows[0] += ["memory", "disk", "jobs"]
    for name, need in needs.items():
        settings = models[name]
        sizes = [f"{need['parameters'] / 1e6:.1f} M", f"{need['tokens'] / 1e6:,.1f} M"]
        hours = [formatting.format_hours(need[f"{what}_hours"]) for what in ["train", "evaluate"]]
        space = [formatting.format_gigabytes(need[f"{what}_gb"]) for what in ["memory", "disk"]]
        jobs = str(math.ceil(need["train_hours"] / machine.max_hours))
        rows.append([name, str(len(settings.seeds)), str(settings.devices), *sizes, *hours, *space, jobs])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def texts(run_dir, corpus, settings):
    """(`estimates.lengths`, where they are from): the run in run_dir if it has indexed this corpus; else the corpus
    itself; else EFCAMDAT. corpus: the value of CORPUS; settings: a `schemas.Corpus`."""
    last = lock.last_run(run_dir).get("corpus")
    if (run_dir / "masks/index.parquet").exists() and corpus in ("", last):
        return estimates.lengths(run_dir), f"those of {run_dir}"
    files = [file for file in arguments.corpus_files(corpus) if Path(file).exists()]
    if files and sum(Path(file).stat().st_size for file in files) <= MAX_COUNTED:
        return estimates.counted(files, settings), f"those of {corpus}, in GPT-2's tokens"
    reason = f"{corpus} is too large to be counted in passing" if files else "CORPUS=file counts those of a file"
    return estimates.lengths(), f"as in EFCAMDAT; {reason}"


def show(experiment, corpus, params, profile):
    """Print and draw the plan of an experiment with these parameters on the machine of this profile.

    corpus: a list of files, or of values of CORPUS; without any, texts are counted as in EFCAMDAT.
    """
    experiment, corpus = arguments.complete(experiment, corpus, params)
    machine = parameters.load_machine(profile)
    settings = parameters.load_profile(params)
    run_dir = Path("runs") / experiment
    models = {name: p for name, p in settings.items() if isinstance(p, parameters.Train)}
    lengths, source = texts(run_dir, corpus, settings["corpus"])
    rates = {precision: rate(machine, precision) for precision in {"float32", *(p.precision for p in models.values())}}
    needs = {}
    for name, p in models.items():
        evaluation_rate = rates["float32"]
        needs[name] = estimates.model(
            p, settings["masks"], machine, rates[p.precision], lengths, models, evaluation_rate
        )
    print(*table(needs, models, machine), sep="\n")
    for line in memory_warnings(needs, machine, profile):
        print(line)
    jobs = study_jobs(needs, models)
    hours = {
        "all": sum(job_hours for job_hours, _ in jobs.values()),
        "side_by_side": max(schedule(jobs, machine.parallel_jobs).values()),
        "chain": max(schedule(jobs, len(jobs)).values()),
    }
    speeds = f"{rates['float32'] / 1e12:.3g} TFLOP/s"
    if max(rates.values()) > rates["float32"]:
        speeds += f" in float32, {max(rates.values()) / 1e12:.3g} in bfloat16,"
    speed_source = "by machine.yaml" if machine.tflops else "as just measured"
    sums = SENTENCES(
        "sums",
        n_texts=sum(n for n, _ in lengths.values()),
        time={name: formatting.format_hours(value) for name, value in hours.items()},
        machine=machine,
        whose=source,
        disk=formatting.format_gigabytes(sum(need["disk_gb"] for need in needs.values())),
        speed=f"{speeds} {speed_source}",
    )
    print(sums)
    _draw(run_dir, arguments.environment(experiment, corpus, params, profile))


def rate(machine, precision):
    """FLOP/s of matrix products in training on a machine: by its file, else measured here. precision: of Train."""
    if machine.tflops:
        return 1e12 * machine.tflops
    from lib.models import devices  # here, since it imports torch

    device = devices.CPU
    if machine.device == "cpu":
        device = devices.current_device()
    bfloat16 = machine.device == "cuda" or device.bfloat16 and precision != "float32"
    return estimates.matrix_rate(machine.device, bfloat16)


def memory_warnings(needs, machine, profile):
    """A line for each model that does not fit into a GPU of the machine, or only in smaller batches."""
    if machine.gpu_gb is None:
        return []
    lines = []
    for name, need in needs.items():
        if need["memory_gb"] > machine.gpu_gb:
            lines.append(SENTENCES("memory", name=name, need=need, gpu_gb=machine.gpu_gb, profile=profile))
    return lines


def _draw(run_dir, variables):
    """Draw the graph of rules as run_dir/plan.svg by graphviz, or print why not. variables: the run's arguments."""
    if not shutil.which("dot"):
        print("No picture: graphviz's dot is not installed.")
        return
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", "--quiet", "all", "--nolock"]
    graph = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    if graph.returncode:
        lines = graph.stderr.strip().splitlines() or ["the graph needs the corpus, CORPUS=file"]
        print(f"No picture: {lines[-1]}")
        return
    with atomic_write(run_dir / "plan.svg") as file:
        subprocess.run(["dot", "-Tsvg", "-o", file], input=graph.stdout, text=True, check=True)
    print(f"The graph: {run_dir}/plan.svg")
