"""Hugging Face's hub, asked only where it can be reached."""

import os
import socket
from urllib.parse import urlparse


def load(kind, name, otherwise):
    """kind.from_pretrained of a folder or a name on the hub; nobody's code is run. Raises ValueError, with the words of
    `otherwise` and one way on more, where it is not to be had."""
    if not os.path.exists(name):
        _be_quick()
    try:
        return kind.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        more = "or load it once with a network and go on with HF_HUB_OFFLINE=1."
        raise ValueError(f"{otherwise}, {more}") from error


def _be_quick():
    """Where the hub cannot be reached, let its local cache answer at once, not after half a minute of retries."""
    from huggingface_hub import constants

    hub = urlparse(constants.ENDPOINT)
    if constants.HF_HUB_OFFLINE or any(name.lower() == "https_proxy" for name in os.environ):
        return
    try:
        socket.create_connection((hub.hostname, hub.port or 443), timeout=5).close()
    except OSError:
        constants.HF_HUB_OFFLINE = True
