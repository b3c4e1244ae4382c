"""A real SLURM on this one machine, for tests: two CPU slots, no database, no systemd. Debian: slurm-wlm and munge.

Needs root, since munge and slurmd do. /etc/slurm/slurm.conf is written (nested srun looks nowhere else) and removed in
the end; a machine that has one already is left alone.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONF = Path("/etc/slurm/slurm.conf")
TEXT = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
ReturnToService=2
MinJobAge=300
KillWait=10
InactiveLimit=0
SlurmdTimeout=0
SchedulerParameters=sched_interval=5,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={megabytes} State=UNKNOWN
PartitionName=here Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def running(folder):
    """Within, SLURM runs; its state and logs are in folder. Raises RuntimeError where it cannot."""
    absent = [name for name in ["munged", "slurmctld", "slurmd"] if not shutil.which(name)]
    if absent or os.geteuid() or CONF.exists():
        why = f"{', '.join(absent)} not installed" if absent else f"{CONF} is there" if CONF.exists() else "not root"
        raise RuntimeError(f"No SLURM of its own for the test: {why}. Expected: root, slurm-wlm and munge, no {CONF}")
    folder = Path(folder)
    for name in ["state", "spool", "munge"]:
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 500
    CONF.write_text(TEXT.format(host=socket.gethostname(), folder=folder, megabytes=megabytes))
    daemons = []
    try:
        for words in [_munged(folder / "munge"), ["slurmctld", "-D"], ["slurmd", "-D"]]:
            daemons.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(2)
        _wait_for_node()
        yield
    finally:
        subprocess.run(["scancel", "--user=root"], stderr=subprocess.DEVNULL, timeout=30)
        for daemon in reversed(daemons):
            daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(30)
            daemon.kill()
        CONF.unlink()


def _munged(folder):
    """The command for a munged with a key of its own, in the foreground, at the socket that SLURM asks."""
    key, place = folder / "key", Path("/run/munge")
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    folder.chmod(0o700)
    place.mkdir(mode=0o755, exist_ok=True)
    files = [f"--{name}-file={folder}/{name}" for name in ["key", "log", "pid", "seed"]]
    return ["munged", "--foreground", "--force", *files]


def _wait_for_node():
    until = time.monotonic() + 60
    while time.monotonic() < until:
        seen = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True)
        if seen.stdout.strip() == "idle":
            return
        time.sleep(1)
    raise RuntimeError(f"SLURM did not come up: sinfo says {seen.stdout or seen.stderr}")
