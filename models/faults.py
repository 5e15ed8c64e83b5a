"""Reasons why weights cannot be found, read or downloaded."""

from __future__ import annotations

from enum import Enum, unique


@unique
class WeightsFault(Enum):
    """Each value is the English text, with places for values such as `{file}`."""

    UNKNOWN = "There are no weights named {name}; the names are {names}."
    NO_FILE = "There is no weights file {file}; choose another one (on the command line: --weights)."
    NOT_INSTALLED = (
        "The weights of {model} ({file}) are not installed; download them (on the command line: `python3 "
        "run.py weights download {model}`), or choose a file of your own (--weights)."
    )
    BUNDLED_MISSING = (
        "The weights of {model} ({file}), which are part of the program, are missing; reinstall the program, "
        "or choose a file of your own (on the command line: --weights)."
    )
    UNREADABLE = "The weights file {file} cannot be read; check the path and its permissions."
    DAMAGED = "The weights file {file} is damaged or holds no weights; remove it and download it again."
    BUNDLED_DAMAGED = (
        "The weights file {file}, which is part of the program, is damaged; reinstall the program, or choose "
        "another file (on the command line: --weights)."
    )
    NOT_INTACT = (
        "The weights file {file} is damaged or not the published one; download it again (on the command line:"
        " `python3 run.py weights download {model}`), or choose a file of your own (--weights)."
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
        "choose that file (on the command line: --weights)."
    )
    HTTP_STATUS = (
        "The weights of {model} could not be downloaded (HTTP status {status}). Try again later, or download {url} "
        "elsewhere and choose that file (on the command line: --weights)."
    )
    NO_CONNECTION = (
        "The weights of {model} could not be downloaded. No internet? Try again later (the download resumes), or "
        "download {url} elsewhere and choose that file (on the command line: --weights)."
    )
    OTHER_FILE = (
        "The file {file} is not the published file of {model}, whose name is {published}; download it again or choose "
        "another file."
    )
