"""Claims about devices: no two jobs share one, all are used, and one that ends gives its own back."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

TAKES = "import sys; from lib.workflow import gpus; held = gpus.exec_with_gpus(int(sys.argv[1])); exec(sys.argv[2])"
# A job: says which devices it has, and looks whether anybody else works on one of them.
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
    """The environment of a machine with four GPUs, as it seems."""
    own = {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "ILM_CEFR_DEVICES": str(tmp_path / "locks"), "PYTHONPATH": os.getcwd()}
    return {name: value for name, value in os.environ.items() if name != "SLURM_JOB_ID"} | own


def job(n, place, env, code=JOB):
    words = [sys.executable, "-c", TAKES, str(n), code]
    return subprocess.Popen(words, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_twelve_jobs_never_share_one_of_four_devices_and_use_all(tmp_path, server):
    jobs = [job(1, tmp_path, server) for _ in range(12)]
    told = [one.communicate() for one in jobs]
    assert [one.returncode for one in jobs] == [0] * 12, told
    assert set(Counter(out.strip() for out, _ in told)) == {"0", "1", "2", "3"}


GRAPH = r"""
rule all:
    input: expand("told/{n}", n=range(10))

rule one:
    output: "told/{n}"
    resources: gpu=1
    shell: "python -c '{TAKES}' {resources.gpu} 'exec(open(\"job.py\").read())' > {output}"
"""


def test_a_servers_graph_gives_each_job_a_device_of_its_own(tmp_path, server):
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "Snakefile").write_text(f"TAKES = {TAKES!r}\n{GRAPH}")
    words = [sys.executable, "-m", "snakemake", "--profile", str(Path("profiles/gpu-server").resolve()), "--quiet"]
    env = server | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([*words, "--resources", "gpu=4", "--cores", "8"], cwd=tmp_path, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert {file.read_text().strip() for file in (tmp_path / "told").iterdir()} == {"0", "1", "2", "3"}


def test_jobs_of_several_devices_do_not_wait_for_each_other_for_ever(tmp_path, server):
    jobs = [job(n, tmp_path, server) for n in [3, 2, 3, 1, 4]]
    told = [one.communicate(timeout=120) for one in jobs]
    assert [one.returncode for one in jobs] == [0] * 5, told
    assert sorted(len(out.split()) for out, _ in told) == [1, 2, 3, 3, 4]


def test_a_killed_job_gives_its_device_back(tmp_path, server):
    env = server | {"CUDA_VISIBLE_DEVICES": "7"}
    first = job(1, tmp_path, env, "import time; print(1, flush=True); time.sleep(60)")
    first.stdout.readline()
    second = job(1, tmp_path, env)
    time.sleep(1)
    assert second.poll() is None
    first.kill()
    assert second.communicate(timeout=60)[0] == "7\n" and first.wait() == -9


def test_more_devices_than_there_are_is_refused_in_words(tmp_path, server):
    out, said = job(5, tmp_path, server).communicate()
    assert "DeviceUnavailable: 5 GPUs are requested, 4 are visible (0, 1, 2, 3). See the profile.\n" in said and not out


def test_a_job_of_slurm_keeps_what_slurm_gave_it(tmp_path, server):
    env = server | {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "1"}
    both = [job(1, tmp_path, env, "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])") for _ in range(2)]
    assert [one.communicate()[0] for one in both] == ["0\n"] * 2
