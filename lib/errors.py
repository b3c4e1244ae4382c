"""What a user can mend: in a notebook its message stands alone, not below pages of the code that refused."""


class Refusal:
    """Mixed into an exception whose message says what was found, what was expected, and the way on."""

    def _render_traceback_(self):
        """The lines that IPython shows of it."""
        return [f"{type(self).__name__}: {self}"]
