"""Claims about the Hugging Face hub: where it cannot be reached, the message comes at once."""

import socket
import time

import huggingface_hub
import pytest

from lib import hub
from lib.masking import tokenization
from lib.models import initialization


def test_without_a_network_a_missing_base_is_named_at_once(settings, tokenizer, monkeypatch):
    def unreachable(*_, **__):
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # and so again afterwards
    began = time.monotonic()
    with pytest.raises(ValueError, match="init_from: nobody/nothing is no trained model(.|\n)*HF_HUB_OFFLINE=1"):
        initialization.initial_model(settings, tokenizer, 256, "nobody/nothing")
    with pytest.raises(ValueError, match="tokenizer: nobody/nothing is not a folder(.|\n)*HF_HUB_OFFLINE=1"):
        tokenization.make_tokenizer("nobody/nothing", None, None)
    assert time.monotonic() - began < 5


def test_a_folder_of_the_repository_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hub.resolve("params/demo") == str(hub.ROOT / "params/demo")
    assert hub.resolve("gpt2") == "gpt2"
