"""Texts of `doctor --fix` and of the same repair in the window."""

from __future__ import annotations

from enum import unique

from app.core.text import CommandLineMessage, Message


@unique
class DoctorFix(CommandLineMessage):
    """Texts of `doctor --fix`."""

    NOT_LINUX = "On this system the virtual camera comes from OBS; run `doctor` to see what to install."
    FOLLOW = "{detail}\n{steps}"
    NO_ELEVATION = "Neither sudo nor pkexec is installed; run the shown commands as root."
    TIMED_OUT = "The repair did not finish within {seconds} seconds; run the shown commands as root."
    NOTHING_TO_DO = "Nothing to repair: the virtual camera “{label}” is set up."
    AS_ROOT = "As root:\n{script}"
    AS_ROOT_WITH = "As root (with {program}):\n{script}"
    DECLINED = "Nothing was changed."
    DONE = "Done: the virtual camera is loaded, now and at every start of the machine."
    NO_TERMINAL = "There is no terminal to confirm on; run the lines above as root, or run this command in a terminal."


@unique
class RepairFailure(Message):
    """Why the virtual camera could not be set up."""

    NOT_RUN = "The repair could not be started ({program} cannot be run); run the shown commands as root."
    FAILED = "The repair failed with exit code {code} (details are in the log); run the shown commands as root."
    FAILED_IN_USE = "The repair failed: the virtual camera is in use. Close the programs that use it and try again."
    FAILED_KEY = "The repair failed: Secure Boot rejects the module. Enrol its key as the doctor says."
    FAILED_FORBIDDEN = "The repair failed: Secure Boot or a container forbids loading modules."
    NO_DIALOG = "This desktop cannot ask for the password; run the shown commands in a terminal."
    DISMISSED = "Nothing was changed: the password was not entered."
