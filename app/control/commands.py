"""Commands for the running program: what they take, and how they are read from words.

`get`, `set` and `reset` reach every setting by its name; the others do what no setting is, or what
is done often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.config.setting import SETTINGS, Setting, present_name
from app.core.errors import UsageError

# Values of JSON by name.
Status = Mapping[str, Any]

SWITCHES = ("on", "off", "toggle")
SWITCH = f"[{'|'.join(SWITCHES)}]"
# Time to step out of the frame before the picture of
# the empty room is taken, by default and at most.
COUNTDOWN_S = 5.0
MAX_COUNTDOWN_S = 60.0
# Time in which frames for that picture are collected.
COLLECT_S = 3.0
# Time for a camera that starts, and for the check that nobody is in the picture of the empty room.
PLATE_CHECKS_S = 30.0


@dataclass(frozen=True, slots=True)
class Syntax:
    """What a command does, and the argument that it takes."""

    # For the help.
    description: str
    # The argument as shown to the user, such as `NAME` or `[on|off]`; empty for none.
    usage: str = ""


# The settings that `ctl set` changes; one without a description
# is set by the program, one of a run has a command.
SETTABLE: Mapping[str, Setting] = {
    name: setting
    for name, setting in SETTINGS.items()
    if setting.description and setting.scope != "run"
}
# Commands that are in force before they wait for
# anything, and are never refused because others wait.
AT_ONCE = ("pause", "freeze", "only-me", "quit", "show", "status")
# Commands of version 0.4, and what does the same; the advice leaves with version 0.6.
REPLACED = {
    "framing": "`set people.framing calm` or `set framing.zoom 1.5`",
    "model": "`set matting.model NAME`, and `status` for the one in use",
    "resume": "`pause off` or `freeze off`",
}

SYNTAX: Mapping[str, Syntax] = {
    "background": Syntax(
        "Choose the background: name as in the window, blur, colour or file.",
        "next|NAME|blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
    ),
    "freeze": Syntax("Keep sending the current frame (the card after a pause), or resume.", SWITCH),
    "get": Syntax("Show a setting with its choices, or all settings.", "[NAME of a setting]"),
    "only-me": Syntax(
        "Show one person only.",
        "on|off|X,Y, a point of the person, from 0,0 (top left) to 1,1",
    ),
    "pause": Syntax("Send the stand-by card instead of the video, or resume.", SWITCH),
    "plate": Syntax(
        "Take a picture of the empty room and use it.",
        "take [SECONDS to step out of the picture]",
    ),
    "quit": Syntax("End the program."),
    "record": Syntax("Record the output to a new file, or stop.", "FILE|stop"),
    "record-alpha": Syntax("Record the matte to a new file, or stop.", "FILE|stop"),
    "reset": Syntax("Give a setting its default value.", "NAME of a setting"),
    "retry": Syntax("Try again what failed."),
    "scene": Syntax(
        "Use a saved scene, --yes also if it shows more of the room; or save, rename or remove one.",
        "NAME [--yes]|--save NAME|--save-with-camera NAME|--rename NAME=NEW NAME|--remove NAME",
    ),
    "set": Syntax(
        "Change a setting.",
        "NAME VALUE, such as output.mirror on; `get` lists the names",
    ),
    "show": Syntax("Show the window in front of all others."),
    "snapshot": Syntax("Save the current frame of the output as a PNG file.", "FILE"),
    "status": Syntax("Print the state of the program."),
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    argument: str = ""

    @property
    def extra_s(self) -> float:
        """How much longer than others the command may take."""
        if self.name != "plate":
            return 0.0
        return countdown_of(self.argument) + COLLECT_S + PLATE_CHECKS_S

    @property
    def assignment(self) -> tuple[str, str]:
        """The setting that `set` changes, and the text of its value. Raises UsageError."""
        name, _, value = self.argument.partition(" ")
        if not value:
            raise UsageError(f"{name} needs a value; `ctl reset {name}` restores the default.")
        return name, value


@dataclass(frozen=True, slots=True)
class Answer:
    """The program's answer to a command."""

    done: bool
    # A sentence for the user: the new state, or why it was not reached.
    message: str = ""
    # For the command `status`: the fields of `--status-json`, `paused` and `frozen`.
    status: Status | None = None
    # Whether the command is not done because it asks for something impossible.
    wrong_usage: bool = False


def parse_words(words: Sequence[str]) -> Command:
    """Parse the words of a command line.

    What the argument names is checked where the command is run.

    Raises UsageError, which names the choices.
    """
    known = ", ".join(SYNTAX)
    if not words:
        raise UsageError(f"Name a command: {known}.")
    name = words[0]
    argument = " ".join(words[1:]).strip()
    if "\0" in name + argument:
        raise UsageError(
            f"{name} “{argument}” is not possible; leave out the characters that no name can have.",
        )
    syntax = SYNTAX.get(name)
    if name in REPLACED:
        raise UsageError(f"There is no command “{name}” any more; write {REPLACED[name]}.")
    if syntax is None:
        raise UsageError(f"There is no command “{name}”; the commands are {known}.")
    if argument and not syntax.usage:
        raise UsageError(f"{name} takes no argument, but got {argument}.")
    if not argument and syntax.usage and not syntax.usage.startswith("["):
        raise UsageError(f"{name} needs an argument: {syntax.usage}.")
    if argument and syntax.usage == SWITCH and argument not in SWITCHES:
        choices = ", ".join(SWITCHES)
        raise UsageError(f"{name} “{argument}” is not possible; the choices are {choices}.")
    return Command(name, argument)


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as
    `matting.edges.contrast`.

    Names of version 0.4 are known as well.
    """
    plain = present_name(name.replace("-", "_"))
    last_two = ".".join(plain.split(".")[-2:])
    setting = SETTABLE.get(plain) or SETTABLE.get(last_two)
    if setting is None or plain not in (setting.name, ".".join(setting.path)):
        return None
    return setting


def parse_pan(text: str) -> tuple[float, float]:
    """Parse a pan such as `0.5,-1` to (0.5, -1.0). Raises UsageError."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"“{text}” is not a position; write two numbers like 0.5,-1.") from None
    return x, y


def parse_person(text: str) -> tuple[float, float] | None:
    """Parse `on`, `off` or `X,Y`; the point is None without one. Raises UsageError."""
    if text in ("on", "off"):
        return None
    point = parse_pan(text)
    if not all(0 <= value <= 1 for value in point):
        raise UsageError(f"The point must lie between 0,0 and 1,1, not at “{text}”.")
    return point


def countdown_of(argument: str) -> float:
    """Return the seconds to step out of the frame in `take [SECONDS]`. Raises UsageError."""
    action, _, text = argument.partition(" ")
    seconds = COUNTDOWN_S
    if text:
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
    if action != "take" or not 0 <= seconds <= MAX_COUNTDOWN_S:
        raise UsageError(
            f"plate “{argument}” is not possible; write take, or take and the seconds of the "
            "countdown (0 to 60). `ctl set matting.plate` names an image or none."
        )
    return seconds
