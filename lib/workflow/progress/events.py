"""What Snakemake starts and ends, as lines of JSON in a pipe to the process that shows the run.

Snakemake's logger plugins have the same events, but must be packages of their own, and draw in Snakemake's process.
"""

import json
import logging
import os

VARIABLE = "ILM_CEFR_EVENTS"  # environment variable: file descriptor of the pipe's end to write to


def report():
    """Called by the Snakefile: report what happens from here on, where a run listens. Jobs do not get the variable."""
    number = os.environ.pop(VARIABLE, None)
    if number is not None:
        logging.getLogger("snakemake.logging").addHandler(_Reporter(int(number)))


class _Reporter(logging.Handler):
    """Writes each event to the pipe. It raises nothing: a run does not end because nobody shows it."""

    def __init__(self, descriptor):
        super().__init__()
        self.descriptor = descriptor

    def emit(self, record):
        event = _event(record)
        if event:
            try:
                os.write(self.descriptor, json.dumps(event).encode() + b"\n")
            except OSError:
                logging.getLogger("snakemake.logging").removeHandler(self)


def _event(record):
    """A log record as a dict with `event`, or None where nothing starts or ends."""
    kind = str(getattr(record, "event", None))
    if kind == "run_info":
        return {"event": kind, "jobs": record.stats}  # {rule: number of jobs}, with the sum as "total"
    if kind == "job_info":
        names = {"id": record.jobid, "rule": record.rule_name, "name": record.rule_msg}
        return {"event": kind, "model": record.wildcards.get("model")} | names
    if kind == "job_finished":
        return {"event": kind, "id": record.job_id}
    if kind == "job_error":
        return {"event": kind, "id": record.jobid}
    return None
