"""Answers and errors of the control commands."""

from __future__ import annotations

from enum import unique

from app.core.text import CommandLineMessage


@unique
class ControlText(CommandLineMessage):
    """Errors of the control commands."""

    NO_COMMAND = "Name a command: {names}."
    UNKNOWN_COMMAND = "There is no command “{name}”; the commands are {names}."
    NO_ARGUMENT_ALLOWED = "{name} takes no argument, but got {argument}."
    ARGUMENT_MISSING = "{name} needs an argument: {usage}."
    NOT_A_CHOICE = "{name} “{argument}” is not possible; the choices are {choices}."
    RATIO = "The ratio must be auto or between {low} and {high}, not “{text}”."
    ZOOM = "The zoom must be between 1 and {high}, not “{text}”."
    LIGHT = "The light is one of {names} and a strength from 0 to 100, not “{text}”."
    NO_OVERLAY = "There is no file “{text}”; the overlay is {usage}."
    OVERLAY_PLACE = "“{text}” is not a position; the positions are {places}."
    POSITION = "The position must lie between -1,-1 and 1,1, not at “{text}”."
    PERSON = "The point must lie between 0,0 and 1,1, not at “{text}”."
    REQUEST = "A request is one line of JSON such as {example}."
    ANSWER_UNKNOWN = "The running program gave an answer that this version does not understand."
    NOT_JSON = "The line does not hold one JSON object."
    FAILED = "The command failed; the log of the running program has the details."
    NO_OTHER_BACKGROUND = "There is no other background; add images or videos first."
    NO_BACKGROUND = "There is no background and no file “{text}”; the backgrounds are {choices}."
    NO_TILE = "There is no tile {number}; the backgrounds are {choices}."
    FILE_EXISTS = "{file} already exists; name a new file."
    ALREADY_RECORDING = "A recording to {file} is running; stop it first with `ctl record stop`."
    NOT_RECORDING = "Nothing is being recorded."
    NO_SNAPSHOTS = "This program cannot save snapshots."
    NOT_ANSWERED = "The running Mattecam did not answer; try again."
    CLOSED = "The running Mattecam closed the connection without an answer; try again."
    NOT_RUNNING = "Mattecam is not running for this user; start it with `python3 run.py` or `python3 run.py headless`."
    BUSY = "Mattecam is running but accepts no connection now; try again."
    FOLDER_NOT_CREATED = "The folder {folder} for the control socket cannot be created: {reason}."
    FOLDER_SHARED = "Other users can write to {folder}."
    LOCK_NOT_CREATED = "The lock file {file} cannot be created: {reason}."
    ANOTHER_RUNS = "Another Mattecam of this user is running; `ctl` controls that one."
    NOT_OPENED = "The control socket {address} cannot be opened: {reason}."
    NO_FRAME = "There is no frame yet; try again when the preview shows one."


@unique
class AnswerText(CommandLineMessage):
    """Answers of the control commands: the new state."""

    PENDING = "{answer} It is still being prepared; `python3 run.py ctl status` shows when it is in use."
    BACKGROUND = "Background: {background}."
    BACKGROUND_NONE = "none; the outputs show the room"
    PAUSED = "Paused: the outputs show the stand-by card."
    PAUSE_UNSEEN = "Paused: the outputs show the stand-by card. The part that processes frames does not answer."
    FROZEN = "Frozen: the outputs keep the last frame."
    FROZEN_WHILE_PAUSED = "Frozen, and paused: the outputs show the stand-by card."
    RESUMED = "Resumed."
    RESUME_UNSEEN = "Resumed; the next frame is still to come."
    SCENE = "Scene: {name}."
    MODEL = "Model: {name}."
    RATIO = "Downsample ratio: {ratio}."
    RATIO_AUTO = "Downsample ratio: automatic."
    LIGHT = "Light: match {match}, wrap {wrap}, portrait {portrait}."
    OVERLAY = "Overlay: image {file}, text {text}."
    OVERLAY_OFF = "Overlay: none."
    WHOLE_FRAME = "Framing: the whole frame."
    FRAMING = "Framing: zoom {zoom} at {x},{y}."
    AUTO_FRAMING = "Framing: automatic, {style}."
    EVERYBODY = "Everybody is shown."
    ONLY_ME = "Only the selected person is shown."
    ONLY_ME_HIDDEN = "Nobody is shown: there is no person at this place, or it is not certain who is the selected one."
    NO_ZONES = "Zones: none."
    DROP_ZONES = "Zones: {drop} to drop."
    KEEP_ZONES = "Zones: {keep} to keep, where your room can be seen; {drop} to drop."
    RECORDING = "Recording to {file}."
    RECORDING_WAITS = "Recording to {file} starts with the first matted frame."
    RECORDED = "Recorded to {file}."
    RECORDING_ENDS = "The recording {file} is still being finished."
    SAVED = "Saved {file}."
    STOPS = "Mattecam stops."
