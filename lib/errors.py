"""What a user can mend: one family of errors, which the command line and notebooks show without the code that refused.

Each has a second base, the exception of Python's that it is a case of.
"""


class UserError(Exception):
    """A mistake that a user can mend: the message says what was found, what was expected, and the way on."""

    def _render_traceback_(self):
        """The lines that IPython shows of it."""
        return [f"{type(self).__name__}: {self}"]


class MissingResult(UserError, FileNotFoundError):
    """A file is not there, or an input that another notebook makes is not there yet."""


class InvalidName(UserError, ValueError):
    """The name of an experiment is no name for a folder."""


class ParameterError(UserError, ValueError):
    """A parameter is unknown, mistyped, out of range or given twice."""


class WriteError(UserError, OSError):
    """The disk is full, or the folder may not be written to."""


class StaleResult(UserError, ValueError):
    """A result is not finished, not as it was written, or made from what has changed since."""


class ExperimentRunning(UserError, RuntimeError):
    """Another process makes this experiment."""


class IncompatibleCheckpoint(UserError, ValueError):
    """The checkpoints in the folder belong to another training."""


class TrainingInterrupted(UserError, RuntimeError):
    """The time of this process is up; what it has learned is saved."""


class NonFiniteLoss(UserError, FloatingPointError):
    """The loss of a training is no number any more."""


class OutOfMemory(UserError, MemoryError):
    """Not even one example at a time fits into memory."""


class CorpusNotFound(UserError, ValueError):
    """A file that CORPUS names is not there, or it names none."""


class CorpusError(UserError, ValueError):
    """The corpus cannot be used."""


class UpstreamFormatError(UserError, ValueError):
    """A model or a file is not of the kind that can be passed on to upstream ILM or taken over from it."""


class LeakFound(UserError, RuntimeError):
    """Something would leave that must not."""


class DeviceUnavailable(UserError, RuntimeError):
    """The machine lacks what the profile asks of it: GPUs, or a cluster's commands."""
