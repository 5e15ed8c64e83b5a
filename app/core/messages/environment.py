"""Messages of the setup of `.venv`. Imports the standard library only: nothing is installed yet."""

from __future__ import annotations

from enum import unique

from app.core.text import CommandLineMessage


@unique
class EnvironmentText(CommandLineMessage):
    """What the setup does, and why it failed."""

    PREPARING = "preparing {folder}; this happens once and takes some minutes"
    ASKING = "asking the package index"
    PACKAGE = "package {count}: {step}"
    NOT_PREPARED = "The environment could not be prepared: {reason}. Start again to resume the setup."
    NO_VENV = "Python's venv module is missing; on Debian `sudo apt install python{version}-venv`"
    DISK_FULL = "the disk is full; free 4 GB, or 10 GB with an NVIDIA GPU"
    NOT_WRITABLE = "{folder} is not writable; make it writable"
    HASHES = "a package differs from the published one; check PIP_INDEX_URL and pip's configuration"
    CERTIFICATE = "the certificate of the package index is not trusted; set PIP_CERT"
    NO_CONNECTION = "the package index cannot be reached; check the network"
    UNSUPPORTED = "a package does not support Python {version}; try 3.12"
    PIP_FAILED = "pip failed"
    FAILED = "{reason} (pip's output is in {log})"
