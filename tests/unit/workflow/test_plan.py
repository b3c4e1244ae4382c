"""Claims about the plan of a study: what waits for what, and what is said of it."""

from lib.workflow.plan import schedule


def test_jobs_are_laid_side_by_side_after_what_they_wait_for():
    jobs = {"general": (4, None), "transfer": (2, "general"), "a": (3, None), "b": (3, None)}
    assert max(schedule(jobs, 1).values()) == 12
    assert schedule(jobs, 2) == {"general": 4, "a": 3, "b": 6, "transfer": 6}
    assert max(schedule(jobs, 8).values()) == 6  # the longest chain
