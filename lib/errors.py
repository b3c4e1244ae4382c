"""Errors that a user can fix: the command line and notebooks show their messages without a traceback.

Each has a second base, the built-in exception of which it is a case.
"""


class UserError(Exception):
    """An error that a user can fix: the message says what was found, what was expected, and what to do."""

    def _render_traceback_(self):
        """The lines that IPython shows."""
        return [f"{type(self).__name__}: {self}"]


class MissingResult(UserError, FileNotFoundError):
    """A file does not exist, or an input that another notebook makes does not exist yet."""


class InvalidName(UserError, ValueError):
    """The name of an experiment cannot be the name of a folder."""


class ParameterError(UserError, ValueError):
    """A parameter is unknown, mistyped, out of range or given twice."""


class WriteError(UserError, OSError):
    """The disk is full, or the folder is read-only."""


class StaleResult(UserError, ValueError):
    """A result is unfinished, changed, in another's place, or made from inputs that have changed since."""


class ExperimentRunning(UserError, RuntimeError):
    """Another run of this experiment is going on."""


class IncompatibleCheckpoint(UserError, ValueError):
    """The checkpoints in the folder belong to another training run."""


class TrainingInterrupted(UserError, RuntimeError):
    """The time limit of this process is near; its training is saved."""


class NonFiniteLoss(UserError, FloatingPointError):
    """The training loss is NaN or infinite."""


class OutOfMemory(UserError, MemoryError):
    """Memory is too small even for one example at a time."""


class CorpusNotFound(UserError, ValueError):
    """A file that CORPUS names does not exist, or CORPUS is empty."""


class CorpusError(UserError, ValueError):
    """The corpus cannot be used."""


class UpstreamFormatError(UserError, ValueError):
    """A model or a file cannot be exported to upstream ILM, or imported from it."""


class LeakFound(UserError, RuntimeError):
    """A file that is to be shared holds text of the corpus."""


class DeviceUnavailable(UserError, RuntimeError):
    """The machine lacks what the profile requires: GPUs, or the commands of a cluster."""
