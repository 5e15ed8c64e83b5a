"""Reasons why weights cannot be found, read or downloaded."""

from __future__ import annotations

import re
from enum import Enum, unique

_TYPED = re.compile("⟦(.*?)⟧", re.DOTALL)


def for_command_line(template: str) -> str:
    """Return a template of a message as the command line shows it: with what is between ⟦ and ⟧, such as an option."""
    return _TYPED.sub(r"\1", template)


def for_window(template: str) -> str:
    """Return a template of a message as the window shows it: without what is between ⟦ and ⟧, which one types."""
    return _TYPED.sub("", template)


@unique
class WeightsFault(Enum):
    """Each value is the English template, with places for values such as `{file}` (see `for_command_line`)."""

    UNKNOWN = "There are no weights named {name}; the names are {names}."
    NO_FILE = "There is no weights file {file}; choose another one⟦ with --weights⟧."
    NOT_INSTALLED = (
        "The weights of {model} ({file}) are not installed; download them⟦ with `python3 run.py weights download "
        "{model}`⟧, or choose a file of your own⟦ with --weights⟧."
    )
    BUNDLED_MISSING = (
        "The weights of {model} ({file}), which are part of the program, are missing; reinstall the program, "
        "or choose a file of your own⟦ with --weights⟧."
    )
    UNREADABLE = "The weights file {file} cannot be read; check the path and its permissions."
    DAMAGED = (
        "The weights file {file} is damaged or holds no weights; download it again or choose another file⟦ with "
        "--weights⟧."
    )
    FOREIGN = (
        "The weights file {file} is in the format of {format}, which is not supported; choose a file of PyTorch or "
        "safetensors⟦ with --weights⟧."
    )
    BUNDLED_DAMAGED = (
        "The weights file {file}, which is part of the program, is damaged; reinstall the program, or choose "
        "another file⟦ with --weights⟧."
    )
    NOT_INTACT = (
        "The weights file {file} is damaged or not the published one; download it again⟦ with `python3 run.py weights "
        "download {model}`⟧, or choose a file of your own⟦ with --weights⟧."
    )
    NOT_FINITE = "The weights file {file} contains NaN or infinite values; replace it with an intact file."
    ALL_ZERO = "The weights in the file {file} are all zero; replace it with an intact file."
    BUNDLED = "The weights of {model} are part of the program and are not downloaded."
    NOT_PUBLISHED = (
        "The file downloaded for {model} is not the published file (its SHA-256 begins with {found}, not "
        "{expected}) and was deleted; try again later, or save a trusted copy as {name} in the folder {folder}."
    )
    NOT_AS_BEFORE = (
        "The file downloaded for {model} is not the file that was downloaded first (its SHA-256 begins with "
        "{found}, not {expected}) and was deleted; try again later."
    )
    DISK_FULL = "The disk is full while downloading {model} to {folder}; free some space and try again."
    NOT_WRITABLE = "The file {file} cannot be written; make its folder writable and try again."
    TOO_LARGE = (
        "The download of {model} was stopped: the server sends more than {limit} bytes. Download {url} elsewhere and "
        "choose that file⟦ with --weights⟧."
    )
    HTTP_STATUS = (
        "The weights of {model} could not be downloaded (HTTP status {status}). Try again later, or download {url} "
        "elsewhere and choose that file⟦ with --weights⟧."
    )
    NO_CONNECTION = (
        "The weights of {model} could not be downloaded. No internet? Try again later (the download resumes), or "
        "download {url} elsewhere and choose that file⟦ with --weights⟧."
    )
    OTHER_FILE = (
        "The file {file} is not the published file of {model}, whose name is {published}; download it again or choose "
        "another file."
    )
