"""A connection to PipeWire where it is not installed."""

from __future__ import annotations

import os

import pytest

from app.system.pipewire import library
from app.system.pipewire.connection import Connection


def test_the_socket_of_a_portal_is_closed_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program asks again and again: the descriptors would run out."""

    def missing() -> None:
        raise OSError("libpipewire-0.3.so.0: cannot open shared object file")

    monkeypatch.setattr(library, "load", missing)
    remote = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(OSError, match="libpipewire"):
        Connection(remote)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(remote)
