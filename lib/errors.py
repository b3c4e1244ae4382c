"""What a user can mend: in a notebook its message stands alone, not below pages of the code that refused."""


class Refusal:
    """Mixed into an exception whose message says what was found, what was expected, and the way on."""

    def _render_traceback_(self):
        """The lines that IPython shows of it."""
        return [f"{type(self).__name__}: {self}"]


class Missing(Refusal, FileNotFoundError):
    """An input that another notebook makes is not there yet."""


class BadName(Refusal, ValueError):
    """The name of an experiment is no name for a folder."""


class ParameterError(Refusal, ValueError):
    """A parameter is unknown, mistyped, out of range or given twice."""


class NotWritten(Refusal, OSError):
    """The disk is full, or the folder may not be written to."""


class Stale(Refusal, ValueError):
    """A result is not finished, not as it was written, or made from what has changed since."""


class Held(Refusal, RuntimeError):
    """Another process makes this experiment."""


class Other(Refusal, ValueError):
    """The checkpoints in the folder belong to another training."""


class CutOff(Refusal, RuntimeError):
    """The time of this process is up; what it has learned is saved."""


class NoCorpus(ValueError):
    """A file that CORPUS names is not there."""


class CorpusError(Refusal, ValueError):
    """The corpus cannot be used; the message says what was found, what was expected, and the way on."""


class Foreign(ValueError):
    """A model or a file is not of the kind that can be passed on or taken over."""


class Refused(RuntimeError):
    """Something would leave that must not."""


class DeviceError(Refusal, RuntimeError):
    """There is no device to compute on as it was asked for."""
