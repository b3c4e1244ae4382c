"""Claims about jobs on a cluster: those of an earlier run are cancelled, and no others."""

import os
import stat

from lib.workflow import slurm


def test_jobs_of_an_earlier_run_are_cancelled_and_no_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    queue, name = tmp_path / "queue", slurm.job_name("study")
    queue.write_text(f"7 {name}_c0ffee\n8 {slurm.job_name('other')}_c0ffee\n9 {name}_beef\n")
    tools = {"squeue": f"cat {queue}", "scancel": f'for n; do sed -i "/^$n /d" {queue}; done'}
    for tool, line in tools.items():
        file = tmp_path / tool
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    slurm.cancel_jobs(name)
    assert queue.read_text().split()[0] == "8" and "left 2 jobs: 7, 9" in capsys.readouterr().out
