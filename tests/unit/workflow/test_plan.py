"""Claims about the plan of a study: which job waits for which, and what is printed."""

from lib.workflow import plan
from lib.workflow.plan import schedule


def test_jobs_run_in_parallel_after_those_they_wait_for():
    jobs = {"general": (4, None), "transfer": (2, "general"), "a": (3, None), "b": (3, None)}
    assert max(schedule(jobs, 1).values()) == 12
    assert schedule(jobs, 2) == {"general": 4, "a": 3, "b": 6, "transfer": 6}
    assert max(schedule(jobs, 8).values()) == 6  # the longest chain


def test_the_sentences_of_a_plan_name_the_limits_of_the_machine(monkeypatch, capsys):
    monkeypatch.setattr(plan, "_draw", lambda *_: None)
    plan.show("no such experiment", [], "params/efcamdat", "slurm")
    out = capsys.readouterr().out
    assert "8 at a time" in out and "24 hours" in out
