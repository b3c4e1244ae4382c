"""The jobs of a run: which are done, which are running, how far these are, and how much time is left."""

import contextlib
import time
from typing import NamedTuple

from lib.experiment.files import read_json
from lib.experiment.parameters import Train

NOTEBOOKS = {"extract": "01 extract", "mask": "02 mask", "train": "03 train", "evaluate": "04 evaluate"}
NOTEBOOKS |= {"infill": "05 infill", "compare": "06 compare", "hypotheses": "07 hypotheses"}
NO_NOTEBOOK = {"all", "total"}  # in Snakemake's counts of jobs


class Job(NamedTuple):
    """A job that has started."""

    rule: str
    name: str  # such as "03 train a1"
    model: str | None
    began_at: float  # seconds of time.monotonic()


class Ended(NamedTuple):
    """A job that has ended."""

    job: Job
    seconds: float
    succeeded: bool


class Jobs:
    """What the events of a run say, counted.

    run_dir: runs/<experiment>; settings: {file stem: parameters}, from parameters.load_profile.
    """

    def __init__(self, run_dir, settings):
        self.run_dir = run_dir
        self.models = {name: p for name, p in settings.items() if isinstance(p, Train)}
        self.expected = {}  # rule -> number of jobs
        self.running = {}  # id -> Job
        self.done = []  # Ended, of jobs that succeeded
        self.stopped = {}  # name -> Ended, of jobs that failed and were not started again
        self.most_at_once = 1

    def take(self, event):
        """Count an event; returns the Ended job if one has ended."""
        kind = event["event"]
        if kind == "run_info":
            self.expected = {rule: n for rule, n in event["jobs"].items() if rule not in NO_NOTEBOOK}
        elif kind == "job_info" and event["rule"] not in NO_NOTEBOOK:
            self.running[event["id"]] = Job(event["rule"], event["name"], event["model"], time.monotonic())
            self.stopped.pop(event["name"], None)
            self.most_at_once = max(self.most_at_once, len(self.running))
        elif event.get("id") in self.running and kind in ("job_finished", "job_error"):
            return self._end(self.running.pop(event["id"]), succeeded=kind == "job_finished")
        return None

    def _end(self, job, succeeded):
        ended = Ended(job, time.monotonic() - job.began_at, succeeded)
        if succeeded:
            self.done.append(ended)
        else:
            self.stopped[job.name] = ended
        return ended

    @property
    def total(self):
        return sum(self.expected.values())

    def n_done(self, rule):
        return sum(ended.job.rule == rule for ended in self.done)

    def state(self, job):
        """How far a running training is: {"seed", "step", "of", "seconds_left"} and "perplexity" once it is known.

        An empty dict for other jobs, and before the first steps.
        """
        if job.rule != "train":
            return {}
        folder = self.run_dir / "checkpoints" / job.model
        with contextlib.suppress(OSError, ValueError):  # of a seed that has just ended
            newest = max(folder.glob("seed*/progress.json"), key=lambda file: file.stat().st_mtime)
            return {"seed": int(newest.parent.name.removeprefix("seed"))} | read_json(newest)
        return {}

    def perplexities(self, model):
        """Validation perplexity of each seed of a model that is trained; an empty list where it has none."""
        found = []
        for seed in self.models[model].seeds:
            with contextlib.suppress(OSError, ValueError):
                facts = read_json(self.run_dir / f"models/{model}/seed{seed}/train.json")
                if facts.get("valid_perplexity") is not None:
                    found.append(facts["valid_perplexity"])
        return found

    def seconds_left(self):
        """(seconds, complete): how long the rest will take if each notebook takes as long as it did on average.

        complete: False where a notebook has not been seen to its end yet, whose time is then not counted. (None, False)
        before any has. As many jobs are assumed to run at a time as have done so.
        """
        seconds = {rule: self._mean_seconds(rule) for rule in self.expected}
        known = [rule for rule in seconds if seconds[rule] is not None]
        if not known:
            return None, False
        left = sum(seconds[rule] * (self.expected[rule] - self.n_done(rule)) for rule in known)
        for job in self.running.values():
            if job.rule in known:
                left -= min(time.monotonic() - job.began_at, seconds[job.rule])
        return left / self.most_at_once, len(known) == len(seconds)

    def _mean_seconds(self, rule):
        """Of a job of this rule; None where none has ended."""
        ended = [one.seconds for one in self.done if one.job.rule == rule]
        return sum(ended) / len(ended) if ended else None
