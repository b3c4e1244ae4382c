"""How far a corpus file may grow when it is unpacked: a small file must not fill the memory."""

import os

from lib.errors import CorpusError

MAX_RATIO = 100  # unpacked size to the file's size, for files that unpack to more than RATIO_FROM bytes
RATIO_FROM = 2**30


def refuse(file, size):
    """Raise CorpusError if `size`, in bytes what the file unpacks to, is far more than the file's own size."""
    packed = os.path.getsize(file)
    if size > max(RATIO_FROM, MAX_RATIO * packed):
        raise CorpusError(
            f"{file} would unpack to {size / 2**30:,.1f} GB or more, {size / packed:,.0f} times its size. "
            f"Expected: at most {MAX_RATIO} times. Do not open it. Get the file again from its source."
        )
