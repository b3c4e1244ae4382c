"""Code of a model card, run in a folder where nothing of this project is."""

import os
import re
import subprocess
import sys


def elsewhere(folder, script):
    """Run a script in a process that has neither this project nor a network nor its folder."""
    alone = "import sys; sys.modules['lib'] = None  # to import it would fail\n" + script
    env = {"HF_HUB_OFFLINE": "1", "HOME": str(folder), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "-c", alone]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def code_of(card):
    """All code blocks of a card, in order, as one script."""
    return "\n".join(re.findall(r"```python\n(.*?)```", card.read_text(encoding="utf-8"), re.DOTALL))
