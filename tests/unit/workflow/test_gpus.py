"""Claims about GPUs: no two jobs share one, all are used, and a job that ends frees its own."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

TAKE_GPUS = "import sys; from lib.workflow import gpus; held = gpus.acquire_gpus(int(sys.argv[1])); exec(sys.argv[2])"
# A job that prints its GPUs, and fails if another job works on one of them.
JOB = """
import os, sys, time
names = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
for name in names:
    os.close(os.open(f"busy-{name}", os.O_CREAT | os.O_EXCL))
time.sleep(0.5)
for name in names:
    os.unlink(f"busy-{name}")
print(*names)
"""


@pytest.fixture
def server(tmp_path):
    """The environment of a machine with four simulated GPUs."""
    variables = {
        "CUDA_VISIBLE_DEVICES": "0,1,2,3",
        "ILM_CEFR_DEVICES": str(tmp_path / "locks"),
        "PYTHONPATH": os.getcwd(),
    }
    return {name: value for name, value in os.environ.items() if name != "SLURM_JOB_ID"} | variables


def job(n, folder, env, code=JOB):
    words = [sys.executable, "-c", TAKE_GPUS, str(n), code]
    return subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_twelve_jobs_never_share_one_of_four_gpus_and_use_all(tmp_path, server):
    jobs = [job(1, tmp_path, server) for _ in range(12)]
    outputs = [process.communicate() for process in jobs]
    assert [process.returncode for process in jobs] == [0] * 12, outputs
    assert set(Counter(out.strip() for out, _ in outputs)) == {"0", "1", "2", "3"}


GRAPH = r"""
rule all:
    input: expand("gpus/{n}", n=range(10))

rule one:
    output: "gpus/{n}"
    resources: gpu=1
    shell: "python -c '{TAKE_GPUS}' {resources.gpu} 'exec(open(\"job.py\").read())' > {output}"
"""


def test_the_graph_gives_each_job_its_own_gpu(tmp_path, server):
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "Snakefile").write_text(f"TAKE_GPUS = {TAKE_GPUS!r}\n{GRAPH}")
    words = [sys.executable, "-m", "snakemake", "--profile", str(Path("profiles/gpu-server").resolve()), "--quiet"]
    env = server | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([*words, "--resources", "gpu=4", "--cores", "8"], cwd=tmp_path, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert {file.read_text().strip() for file in (tmp_path / "gpus").iterdir()} == {"0", "1", "2", "3"}


def test_jobs_that_need_several_gpus_do_not_deadlock(tmp_path, server):
    jobs = [job(n, tmp_path, server) for n in [3, 2, 3, 1, 4]]
    outputs = [process.communicate(timeout=120) for process in jobs]
    assert [process.returncode for process in jobs] == [0] * 5, outputs
    assert sorted(len(out.split()) for out, _ in outputs) == [1, 2, 3, 3, 4]


def test_a_killed_job_frees_its_gpu(tmp_path, server):
    env = server | {"CUDA_VISIBLE_DEVICES": "7"}
    first = job(1, tmp_path, env, "import time; print(1, flush=True); time.sleep(60)")
    first.stdout.readline()
    second = job(1, tmp_path, env)
    time.sleep(1)
    assert second.poll() is None
    first.kill()
    assert second.communicate(timeout=60)[0] == "7\n" and first.wait() == -9


def test_more_gpus_than_are_visible_is_refused_in_words(tmp_path, server):
    out, message = job(5, tmp_path, server).communicate()
    assert (
        "DeviceUnavailable: 5 GPUs are requested, 4 are visible (0, 1, 2, 3). See the profile.\n" in message and not out
    )


def test_a_slurm_job_keeps_the_gpus_of_slurm(tmp_path, server):
    env = server | {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "1"}
    both = [job(1, tmp_path, env, "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])") for _ in range(2)]
    assert [process.communicate()[0] for process in both] == ["0\n"] * 2
