"""Hugging Face's hub, asked only where it can be reached."""

import os
import socket
from urllib.parse import urlparse


def be_quick():
    """Where the hub cannot be reached, let its local cache answer at once, not after half a minute of retries."""
    from huggingface_hub import constants

    hub = urlparse(constants.ENDPOINT)
    if constants.HF_HUB_OFFLINE or any(name.lower() == "https_proxy" for name in os.environ):
        return
    try:
        socket.create_connection((hub.hostname, hub.port or 443), timeout=5).close()
    except OSError:
        constants.HF_HUB_OFFLINE = True
