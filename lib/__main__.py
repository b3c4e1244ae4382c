"""The command line, `python -m lib COMMAND`: what make calls, and whoever is without make.

A command's module is imported when it is called: neither --help nor the start of a job waits for torch.
"""

import argparse
import importlib
import os
import signal
import sys
from pathlib import Path

from lib.errors import UserError

MISTAKE = 2  # exit status, as argparse has it for a mistake in the words themselves
CALM = {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1"}  # nothing phones home
CALM |= {"PYTHONUTF8": "1"}  # whatever the locale: paths and texts hold more than ASCII
FORKING = {"run", "demo", "serve"}  # no threads before a fork, and figures as kernels draw them
FORKED = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
STUDY = ["--experiment", "--corpus", "--params", "--profile"]
RUNNING = ["--cores", "--only", "--tensorboard"]
COMMANDS = {  # what it does, the function that does it, and what that is given, by name
    "run": ("the study on any corpus, or what it lacks", "workflow.run.run", [*STUDY, *RUNNING]),
    "demo": ("the study on the embedded synthetic corpus, with small models", "workflow.run.demo", STUDY[3:] + RUNNING),
    "plan": ("hours, memory and disk of a study before it runs", "workflow.plan.show", STUDY),
    "status": ("what is done, what goes on, what is stale and why", "workflow.status.show", ["--experiment"]),
    "renew": ("forget what older code made; run makes it again", "workflow.status.renew", ["--experiment"]),
    "report": ("one offline page of the whole study", "sharing.report.build", ["--experiment"]),
    "paper": ("methods, tables, figures, references for LaTeX", "sharing.paper.build", ["--experiment"]),
    "memorisation": ("does a model know its training texts better than others like them?",
                     "memorisation.assessment.assess", ["--experiment", "--canaries"]),
    "share": ("what may be shared, checked", "sharing.bundle.build", ["--experiment", "--weights", "--notebooks"]),
    "share-check": ("may it be shared? what share takes and has built, or the given files", "sharing.bundle.check",
                    ["--experiment", "--weights", "--notebooks", "files"]),
    "export-model": ("a model's folder as upstream ILM opens it", "sharing.upstream_ilm.model_to", ["model", "to"]),
    "export-texts": ("texts in upstream ILM's format", "sharing.upstream_ilm.texts_to", ["--experiment", "to"]),
    "import-masks": ("masks that upstream ILM drew, as CSV", "sharing.upstream_ilm.masks_to", ["file", "to"]),
    "demo-corpus": ("write the embedded synthetic corpus", "synthetic.demo_corpus.write", ["file"]),
    "known-answer-corpus": ("write a corpus whose answer is known", "synthetic.known_answers.write",
                            ["name", "file", "--texts", "--seed"]),
    "job": ("one notebook, for the graph", "workflow.job.run",
            ["notebook", "log", "--settings", "--experiment", "--value", "--gpus", "--threads", "--attempt"]),
    "serve": ("run a command whose kernels start warm", "workflow.fork_server.serve", ["command"]),
}  # fmt: skip
ARGUMENTS = {
    "--experiment": {"metavar": "NAME", "default": "demo", "help": "a folder of runs/; demo or as --params"},
    "--corpus": {"metavar": "FILE", "nargs": "+", "default": [], "help": "its file or files"},
    "--params": {"metavar": "FOLDER", "default": "params/demo", "help": "of parameter files; %(default)s"},
    "--profile": {"metavar": "NAME", "default": "laptop", "help": "a folder of profiles/; %(default)s"},
    "--cores": {"metavar": "N", "help": "jobs side by side, where the profile's number is not wanted"},
    "--only": {"metavar": "FILE", "help": "the manifest.json of a result, to go no further than that"},
    "--tensorboard": {"metavar": "FOLDER", "help": "where TensorBoard's logs are wanted"},
    "--canaries": {"action": "store_true", "dest": "plant", "help": "train twins with canaries, too"},
    "--weights": {"action": "store_true", "help": "with the weights that may be shared"},
    "--notebooks": {"action": "store_true", "help": "with the notebooks, as pages"},
    "--texts": {"type": int, "help": "how many; the corpus knows a number of its own"},
    "--seed": {"type": int, "default": 1},
    "--settings": {"required": True, "help": "a parameter file"},
    "--value": {"metavar": "YAML", "action": "append", "default": [], "help": "more parameters"},
    "--gpus": {"type": int, "default": 0},
    "--threads": {"type": int, "default": 1},
    "--attempt": {"type": int, "default": 1},
    "files": {"nargs": "*", "type": Path, "help": "or folders, of any kind"},
    "notebook": {"type": Path},
    "log": {"type": Path, "help": "the executed notebook"},
    "command": {"nargs": argparse.REMAINDER},
}


def parser():
    """What is understood."""
    whole = argparse.ArgumentParser(prog="python -m lib", description=__doc__.split("\n")[0])
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="what")
    for name, (says, _, arguments) in COMMANDS.items():
        one = commands.add_parser(name, help=says, description=says)
        for argument in arguments:
            one.add_argument(argument, **ARGUMENTS.get(argument, {}))
        if "--params" in arguments:  # what is begun is called as they are, unless it has a name
            one.set_defaults(experiment=None)
    return whole


def main(words=None):
    """Do what the words ask for; returns the exit status. What a user can mend is said in words, with status 2."""
    asked = vars(parser().parse_args(words))
    what = asked.pop("what")
    for variable, value in (CALM | FORKED if what in FORKING else CALM).items():
        os.environ.setdefault(variable, value)
    if what == "status" and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads it may stop reading
    module, function = COMMANDS[what][1].rsplit(".", 1)
    try:
        return getattr(importlib.import_module(f"lib.{module}"), function)(**asked)
    except UserError as error:
        print(error, file=sys.stderr)
        return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
