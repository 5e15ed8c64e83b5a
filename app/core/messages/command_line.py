"""Messages of command line."""

from __future__ import annotations

from enum import unique

from app.core.text import CommandLineMessage


@unique
class CommandLineText(CommandLineMessage):
    """Errors of the commands."""

    OPTIONS_FIRST = "Options go after the command: `python3 run.py {command} --…`."
    NO_SETTINGS_FILE = "There is no settings file {file}; check --config."
    PROOF_WITHOUT_BACKGROUND = (
        'With the background "none" a proof would show the unprocessed camera frame; name a file with '
        "--record, or choose another background."
    )
    PROOF_NOT_WRITTEN = (
        "The proof cannot be written to {folder}: {reason}. Another folder can be named in MATTECAM_DATA_DIR."
    )
    IMAGE_NOT_WRITTEN = "The image {file} cannot be written: {reason}."
    UNKNOWN_WEIGHTS = "There are no weights named {names}; the names are {known}."
    OTHER_WEIGHTS = (
        "These files are not the published weights: {files}; download them with `weights download --again "
        "NAME`, or leave them if you put them there on purpose."
    )
    NO_FRAMES = "The program processed no frames; try another model."
    TOO_FEW_FRAMES = "The program processed fewer than two frames in the time; measure for longer."
    ANSWER = "{message}"


@unique
class ConvertText(CommandLineMessage):
    """Errors of conversions."""

    NO_FRAME = "{file} contains no readable frame; choose another file."
    SAME_FILE = "{file} cannot be written: it is also {use}; choose another name."
    SOURCE = "the source"
    OUTPUT = "another output"
    STOPPED = "The conversion stopped at {file}: {reason}."
    NOT_WRITTEN = "{file} cannot be written: {reason}."
