"""Errors in values that the user writes on the command line."""

from __future__ import annotations

from enum import unique

from app.core.text import CommandLineMessage


@unique
class UsageText(CommandLineMessage):
    """Errors in values that the user writes on the command line."""

    SIZE = "“{text}” is not a size; write it like 1280x720."
    PAN = "“{text}” is not a position; write two numbers like 0.5,-1."
    PLACE = (
        "“{text}” is not a place of the person; write X,Y from -1,-1 to 1,1, X,Y,SCALE with a scale from {low} to "
        "{high}, one of {corners}, such as bottom-right:35, or reset."
    )
    COLOUR = "“{text}” is not a colour; write it like #00b140."
    BLUR = "“{text}” is not a blur strength; write a number from 0 to 100."
    BACKGROUND = "There is no background “{text}”; write blur, a file, #RRGGBB, green or none."
    BACKGROUND_EMPTY = "The background is empty; write blur, a file, #RRGGBB, green or none."
    INVALID = "{option}: “{value}” is not possible: {problem}."
    NO_STATUS_FILE = "{file} exists and holds no measurements of an earlier run; name another file with --status-json."
    PLACEHOLDER = "The text of the overlay has no value for {text}; write {known} or other text."
    STRICT_WITH_SERVER = (
        "Strict mode cannot be off with a matting server, which could show the room; write balanced or strict."
    )
    SLIDE = "There is no slide {number} in {file}; it has {count}."
    ON_OFF = "{option}: “{value}” is not possible; write on or off."


@unique
class ParserText(CommandLineMessage):
    """Words that are no command line."""

    NO_OPTION = "There is no option {option}; `{command} --help` lists the options."
    SIMILAR = "There is no “{name}”; did you mean {names}?"
    VALUE_MISSING = "{option} needs a value; write it after the option."
    NO_VALUE = "{option} takes no value; write the option alone."
    NO_COMMAND = "There is no command “{name}”; `{command} --help` lists the commands."
    TOO_MANY = "“{words}” is too much; `{command} --help` shows what belongs there."
    MISSING = "{name} is missing; `{command} --help` shows what belongs there."
    OTHER = "{message}; `{command} --help` shows the usage."
