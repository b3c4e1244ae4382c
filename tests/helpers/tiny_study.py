"""A whole study in some twenty seconds, in its own folder, for tests that inject faults."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from lib.experiment.files import read_json, write_table
from lib.synthetic.demo_corpus import embedded_corpus

ROOT = Path(__file__).parents[2]
COPIED = ["Makefile", "Snakefile", "requirements.txt", "constraints.txt", "pyproject.toml"]
COPIED += ["notebooks", "lib", "profiles", "bench"]
MODEL = {"seeds": [0], "max_examples": 160, "eval_every": 32, "score_at": [80], "examples_per_step": 8}
MODEL |= {"dropout": 0.1, "n_embd": 32}
SMALL = {
    "masks": {"vocabulary_size": 400, "masks_per_text": 2, "frozen_masks_per_text": 1},
    "infill": {"words_per_level": 2, "samples_per_level": 1},
    "hypotheses": {"bootstrap_resamples": 200, "min_learners": 2},
} | dict.fromkeys(["a1", "a1_transfer"], MODEL) | {"general": MODEL | {"snapshot_at": {"A1": 160}}}
# A text with code, as anybody may have typed it: no code of it may be executed where it is shown.
HOSTILE = ' <script>alert(1)</script> <img src=x onerror=alert(2)> \x1b[2J\x1b[31m {{ 7*7 }} {0} %s $x^2$ `id`'

OFFLINE = '''"""No process of this workspace reaches the network; attempts are written to a file."""
import os
import socket

real = socket.getaddrinfo, socket.socket.connect


def local(host):
    return str(host) in ("localhost", "::1", "None", "") or str(host).startswith("127.")


def getaddrinfo(host, *more, **options):
    if not local(host):
        with open(os.path.join(os.path.dirname(__file__), "..", "asked_the_network"), "a") as file:
            file.write(f"{host}\\n")
        raise socket.gaierror("no network here")
    return real[0](host, *more, **options)


def connect(self, address):
    if isinstance(address, tuple) and not local(address[0]):
        raise OSError("no network here")
    return real[1](self, address)


socket.getaddrinfo, socket.socket.connect = getaddrinfo, connect
'''


def workspace(folder):
    """Make a copy of the project in folder, with a corpus of 400 texts, three models of 20 steps, and no result."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    for name in ["corpus", *SMALL]:
        change(folder, name, SMALL.get(name, {}), ROOT / f"params/demo/{name}.yaml")
    (folder / "key").write_bytes(bytes(32))
    (folder / "sitecustomize.py").write_text(OFFLINE)
    (folder / "runs").mkdir()
    corpus = embedded_corpus(400, seed=1)
    corpus.loc[corpus.index[5:400:40], "text"] += HOSTILE
    write_table(corpus, folder / "corpus.csv")
    return folder


def change(folder, name, values, source=None):
    """Change values in a parameter file of the workspace."""
    file = folder / f"params/tiny/{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(yaml.safe_load((source or file).read_text(encoding="utf-8")) | values))


def environment(folder, served=False, **more):
    """Variables for a process of the workspace. served: by the fork server of this process, if there is one."""
    variables = {"PYTHONPATH": str(folder), "ILM_CEFR_KEY": str(folder / "key"), "OMP_NUM_THREADS": "1"}
    others = ("ILM_CEFR_FAULT", "PYTEST", "MAKE") if served else ("ILM_CEFR", "PYTEST", "MAKE", "JUPYTER_PATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(others)} | variables | more


def command(experiment="tiny", corpus="corpus.csv", target="run"):
    return ["make", target, f"EXPERIMENT={experiment}", f"CORPUS={corpus}", f"PARAMS=params/{experiment}"]


def make(folder, fault="", limit=None, words=None, limit_seconds=1800, served=False, **more):
    """`make run` of the workspace; returns the finished process, output as text. limit: bytes that a file may have."""
    words = words or command()
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": limit_seconds}
    if limit:
        options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return subprocess.run(words, cwd=folder, env=environment(folder, served, ILM_CEFR_FAULT=fault, **more), **options)


def hashes(folder, experiment="tiny"):
    """{file: hash} of all files of a run that must be the same in every run: not of logs, times and the lock.

    A recommendation is compared without its hours.
    """
    found = {}
    for path in sorted(walk(folder / "runs" / experiment)):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(word in name for word in ["/notebooks/", "clock.", "cost_gain", "/.lock"]):
            content = path.read_bytes()
            if path.name == "recommendation.json" or name.endswith("hypotheses/manifest.json"):
                content = json.dumps(timeless(read_json(path)), sort_keys=True).encode()
            found[name] = hashlib.sha256(content).hexdigest()
    return found


def walk(folder):
    """Yield the files of a folder, also behind links."""
    for parent, _, names in os.walk(folder, followlinks=True):
        yield from (Path(parent, name) for name in names)


def timeless(content):
    """A JSON object without the hours of training, the sentences with them, and the hash of both."""
    if isinstance(content, dict):
        timed = {"hours", "sentence", "recommendation.json"}
        return {key: timeless(value) for key, value in content.items() if key not in timed}
    return content


def same(found, expected):
    """Assert that two dicts of hashes are equal, naming the files that differ."""
    differing = [name for name in sorted(found.keys() | expected.keys()) if found.get(name) != expected.get(name)]
    assert not differing, f"{len(differing)} files differ: {differing[:8]}"


if __name__ == "__main__":
    print(workspace(sys.argv[1]))
