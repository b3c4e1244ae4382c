"""What the terminal shows of a run: one panel that is drawn anew, or a line for each finished step elsewhere."""

import contextlib
import json
import os
import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lib.workflow.progress.events import VARIABLE
from lib.workflow.progress.jobs import NOTEBOOKS, Jobs

LOG = "notebooks/snakemake.log"  # in runs/<experiment>: all that Snakemake says
REDRAWN_SECONDS = 0.5
BAR_WIDTH = 24  # characters


class Display:
    """Within, the events of a run are shown. Give `variables` and `files` to Snakemake, and call `update` meanwhile.

    run_dir: runs/<experiment>; settings: {file stem: parameters}.
    """

    def __init__(self, run_dir, settings):
        self.run_dir = run_dir
        self.jobs = Jobs(run_dir, settings)
        self.console = Console(highlight=False)
        self.unread = b""  # of the pipe: a line that is not complete
        self.began_at = time.monotonic()
        self.drawn_at = -REDRAWN_SECONDS

    def __enter__(self):
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.variables = {VARIABLE: str(self.write_end)}
        self.files = [self.write_end]
        self.panel = None
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            # no thread of rich's own, which a fork would not have, and no stream replaced, which it would inherit
            self.panel = Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self.panel.start()
            self.console.show_cursor(True)  # a run that is killed cannot show it again
        return self

    def __exit__(self, *_):
        self.drawn_at = -REDRAWN_SECONDS
        self.update()
        os.close(self.write_end)
        os.close(self.read_end)
        if self.panel:
            self.panel.stop()

    def update(self):
        """Show what has happened since the last call. A run goes on where nobody reads what it shows any more."""
        ended = [one for event in self._events() if (one := self.jobs.take(event))]
        with contextlib.suppress(OSError):
            if self.panel is None:
                for one in ended:
                    print(self._line(one), flush=True)
            elif time.monotonic() > self.drawn_at + REDRAWN_SECONDS:
                self.drawn_at = time.monotonic()
                self.panel.update(self._drawn(), refresh=True)

    def _events(self):
        """The complete lines that the pipe holds, as dicts."""
        with contextlib.suppress(BlockingIOError):
            while received := os.read(self.read_end, 65536):
                self.unread += received
        *lines, self.unread = self.unread.split(b"\n")
        return [json.loads(line) for line in lines]

    def _line(self, ended):
        """One line about a job that has ended."""
        took = format_seconds(ended.seconds)
        if not ended.succeeded:
            return f"{ended.job.name}: stopped after {took}"
        facts = [took]
        if ended.job.rule == "train" and (perplexities := self.jobs.perplexities(ended.job.model)):
            facts.append(f"validation perplexity {', '.join(f'{one:.1f}' for one in perplexities)}")
        return f"{ended.job.name}: done, {', '.join(facts)} ({self._so_far()})"

    def _so_far(self):
        """Steps done, and the time that is left."""
        return ", ".join(filter(None, [f"{len(self.jobs.done)} of {self.jobs.total} steps", self._time_left()]))

    def _time_left(self):
        seconds, complete = self.jobs.seconds_left()
        if not seconds or len(self.jobs.done) == self.jobs.total:
            return ""
        return f"{'about' if complete else 'more than'} {format_seconds(seconds)} left"

    def _drawn(self):
        """The panel: all notebooks with their bars, and below them the jobs that are running."""
        if not self.jobs.total:
            return Text(f"{self.run_dir.name}: finding out what is left to do")
        took = format_seconds(time.monotonic() - self.began_at)
        head = Text(f"{self.run_dir.name}: {self._so_far()}, running for {took}", style="bold")
        log = Text(f"Snakemake's log: {self.run_dir / LOG}", style="dim")
        return Group(Text(), head, self._bars(), self._running(), log)

    def _bars(self):
        table = Table.grid(padding=(0, 2, 0, 1))
        for rule, title in NOTEBOOKS.items():
            if n := self.jobs.expected.get(rule):
                n_done = self.jobs.n_done(rule)
                bar = ProgressBar(total=n, completed=n_done, width=BAR_WIDTH)
                table.add_row(title, bar, f"{n_done} of {n}")
        return table

    def _running(self):
        """The jobs that are running and those that stopped, a row each."""
        table = Table.grid(padding=(0, 2, 0, 1))
        for job in sorted(self.jobs.running.values(), key=lambda job: job.began_at):
            state = self.jobs.state(job)
            name = f"{job.name}, seed {state['seed']}" if state else job.name
            table.add_row(Text(name, style="cyan"), *_how_far(job, state))
        for name, ended in self.jobs.stopped.items():
            table.add_row(Text(name, style="red"), f"stopped after {format_seconds(ended.seconds)}", "", "")
        return table


def _how_far(job, state):
    """Columns of a running job: of a training step, validation perplexity and time left, of others the time so far."""
    if not state:
        return [f"for {format_seconds(time.monotonic() - job.began_at)}", "", ""]
    perplexity = f"perplexity {state['perplexity']:.1f}" if "perplexity" in state else ""
    left = f"{format_seconds(state['seconds_left'])} left"
    return [f"step {state['step']:,} of {state['of']:,}", perplexity, left]


def format_seconds(seconds):
    """A duration: "9 s", "2 min 05 s", "3 h 10 min"."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
