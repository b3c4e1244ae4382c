"""The command line, `python -m lib COMMAND`: what make calls, and whoever is without make.

A command imports its module only when it is called: `--help` and the start of a job are not to wait for torch.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from lib.errors import UserError

MISTAKE = 2  # exit status, as argparse has it for a mistake in the words themselves
# variables that this process and all that it starts are to have, unless they are set already
CALM = {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1"}  # nothing phones home
CALM |= {"PYTHONUTF8": "1"}  # whatever the locale: paths and texts hold more than ASCII
# and one that forks: no threads before, and figures as kernels draw them
FORKING = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def run(asked):
    """the study on any corpus, or what it lacks, to verdicts"""
    from lib.workflow import request

    return _run(*request.complete(asked.experiment, _corpus(asked), asked.params), asked.params, asked)


def demo(asked):
    """seven notebooks, eleven small models and their controls on the embedded synthetic corpus"""
    from lib.workflow import request

    return _run(request.DEMO, request.EMBEDDED, "params/demo", asked)


def _run(name, corpus, params, asked):
    if asked.tensorboard:
        os.environ["ILM_CEFR_TENSORBOARD"] = os.path.abspath(asked.tensorboard)
    for variable, value in FORKING.items():
        os.environ.setdefault(variable, value)
    from lib.workflow import run

    return run.run(name, corpus, params, asked.profile, asked.cores, asked.only)


def job(asked):
    """one notebook of the graph, which calls it"""
    from lib.workflow import job

    values = [f"experiment: {asked.experiment}", *asked.value]
    return job.run(asked.notebook, asked.log, asked.settings, values, asked.gpus, asked.threads, asked.attempt)


def serve(asked):
    """run a command whose kernels start warm"""
    for variable, value in FORKING.items():
        os.environ.setdefault(variable, value)
    from lib.workflow import fork_server

    return fork_server.serve(asked.words)


def plan(asked):
    """hours, memory and disk of a study before it runs"""
    from lib.experiment import parameters
    from lib.workflow import plan, request

    name, corpus = request.complete(asked.experiment, _corpus(asked), asked.params)
    plan.show(name, corpus, parameters.profile(asked.params), asked.profile)
    plan.draw(name, corpus, asked.params, asked.profile)


def status(asked):
    """what is done, what goes on, what is stale and why, what stopped"""
    from lib.workflow import status

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads this may stop reading
    status.show(_name(asked))


def renew(asked):
    """forget what older code made; run, or demo, then makes it again"""
    from lib.workflow import status

    status.renew(_name(asked))


def report(asked):
    """one offline page of the whole study, and its notebooks as pages"""
    from lib.sharing import report

    report.build(_name(asked))


def paper(asked):
    """methods, tables, figures and references for LaTeX"""
    from lib.sharing import paper

    paper.build(_name(asked))


def memorisation(asked):
    """does any model know its training texts better than others like them?"""
    from lib.memorisation import assessment

    assessment.assess(_name(asked), plant=asked.canaries)


def share(asked):
    """what may leave, checked, in runs/<experiment>/share"""
    from lib.sharing import bundle

    return bundle.build(_name(asked), weights=asked.weights, notebooks=asked.notebooks)


def share_check(asked):
    """may it leave? all that share would take, or the given files and folders"""
    from lib.sharing import bundle

    if asked.files:
        return bundle.check_files(_name(asked), asked.files)
    return bundle.check(_name(asked), weights=asked.weights, notebooks=asked.notebooks)


def export_model(asked):
    """a model's folder as upstream ILM opens it"""
    from lib.sharing import upstream_ilm

    upstream_ilm.model_to(asked.model, asked.to)


def export_texts(asked):
    """the texts of an experiment in upstream ILM's format"""
    from lib.sharing import upstream_ilm

    upstream_ilm.texts_to(_name(asked), asked.to)


def import_masks(asked):
    """masks that upstream ILM drew, as CSV, read without running the pickle"""
    from lib.sharing import upstream_ilm

    upstream_ilm.masks_to(asked.file, asked.to)


def demo_corpus(asked):
    """the embedded synthetic corpus as a CSV file"""
    from lib.synthetic import demo_corpus

    demo_corpus.write(asked.file)


def known_answer_corpus(asked):
    """a corpus whose answer is known, as a CSV file"""
    from lib.synthetic import known_answers

    known_answers.write(asked.name, asked.file, asked.texts, asked.seed)


def _name(asked):
    return asked.experiment or Path(asked.params).name


def _corpus(asked):
    """The files as one line, as CORPUS names them."""
    import shlex

    return asked.corpus[0] if len(asked.corpus) == 1 else shlex.join(asked.corpus)


def parser():
    """What is understood: the commands and their options."""
    whole = argparse.ArgumentParser(prog="python -m lib", description=__doc__.split("\n")[0])
    commands = whole.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(do, *parents):
        name, what = do.__name__.replace("_", "-"), do.__doc__
        one = commands.add_parser(name, help=what, description=what, parents=parents)
        one.set_defaults(do=do)
        return one

    study, machine, corpus, running, sharing = (argparse.ArgumentParser(add_help=False) for _ in range(5))
    study.add_argument("--experiment", metavar="NAME", help="a folder of runs/; as the folder of parameters by default")
    study.add_argument("--params", metavar="FOLDER", default="params/demo", help="of parameter files; params/demo")
    corpus.add_argument("--corpus", metavar="FILE", nargs="+", default=[""], help="file or files of the corpus")
    machine.add_argument("--profile", metavar="NAME", default="laptop", help="a folder of profiles/; laptop")
    running.add_argument("--cores", metavar="N", help="jobs side by side, where the profile's number is not wanted")
    running.add_argument("--only", metavar="FILE", help="the manifest.json of a result, to go no further than that")
    running.add_argument("--tensorboard", metavar="FOLDER", help="where TensorBoard's logs are wanted")
    sharing.add_argument("--weights", action="store_true", help="of models that may leave, too")
    sharing.add_argument("--notebooks", action="store_true", help="as pages, too")

    command(run, study, corpus, machine, running)
    command(demo, machine, running)
    command(plan, study, corpus, machine)
    for do in [status, renew, report, paper]:
        command(do, study)
    command(memorisation, study).add_argument("--canaries", action="store_true", help="train twins with canaries, too")
    command(share, study, sharing)
    command(share_check, study, sharing).add_argument("files", nargs="*", type=Path, help="of any kind")
    _exchange(command, study)
    _inner(command)
    return whole


def _exchange(command, study):
    """Commands about files of others, and corpora."""
    one = command(export_model)
    one.add_argument("model", help="such as runs/demo/models/a1/seed0")
    one.add_argument("to", help="folder")
    command(export_texts, study).add_argument("to", help="folder")
    one = command(import_masks)
    one.add_argument("file", help="a pickle of upstream's create_ilm_examples.py")
    one.add_argument("to", help="folder")
    command(demo_corpus).add_argument("file", help="the CSV file to write")
    one = command(known_answer_corpus)
    one.add_argument("name", help="such as identical_levels")
    one.add_argument("file", help="the CSV file to write")
    one.add_argument("--texts", type=int, help="how many; the corpus knows a number of its own")
    one.add_argument("--seed", type=int, default=1)


def _inner(command):
    """Commands that the graph and the tests give."""
    one = command(job)
    one.add_argument("notebook", type=Path)
    one.add_argument("log", type=Path, help="the executed notebook")
    one.add_argument("--settings", required=True, help="the YAML file of its parameters")
    one.add_argument("--experiment", required=True)
    one.add_argument("--value", metavar="YAML", action="append", default=[], help="more parameters")
    one.add_argument("--gpus", type=int, default=0)
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--attempt", type=int, default=1)
    command(serve).add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND ...")


def main(words=None):
    """Do what the words ask for; returns the exit status. What a user can mend is said in words, with status 2."""
    asked = parser().parse_args(words)
    for variable, value in CALM.items():
        os.environ.setdefault(variable, value)
    try:
        return asked.do(asked)
    except UserError as error:
        print(error, file=sys.stderr)
        return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
