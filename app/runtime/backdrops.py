"""What is opened and drawn beside the frame path: the background in use and the stand-by cards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from app.backgrounds.kinds import Background
from app.backgrounds.lettering import missing_letters
from app.backgrounds.standby import draw_card
from app.core.declaration import opens_alike
from app.core.errors import Stage, Text, t
from app.core.files import version_of
from app.core.settings import BackgroundSettings, OutputSettings
from app.core.types import Backdrop, BgrImage, Frame, Picture, PictureKind
from app.core.worker import NICENESS, Builder, Built
from app.runtime.context import PipelineContext
from app.runtime.status import StatusBoard

# Kinds of background that read no file: they are in use at once.
VALUES = ("blur", "colour")
# Grey level (0..255) in place of a background or card that is not ready; about as dark as the
# card's edge. A blurred room would still show its colours.
PLAIN_GREY = 24


class Backdrops:
    """Owns the background in use. Used on the inference thread, but for `retry` and `builder`."""

    def __init__(self, context: PipelineContext) -> None:
        self._parts = context.parts
        self._board = context.board
        self._timing = context.timing
        self.builder: Builder[BackgroundSettings, Background] = Builder(
            "background-opener",
            self._open,
            lambda background: background.close(),
            Stage.BACKGROUND,
            niceness=NICENESS,
        )
        self._requested: BackgroundSettings | None = None
        self._opens_again = False
        # Of the file that was opened last, from before it was read.
        self._file_version: object = None
        self._background: Background | None = None
        self._settings_of_background: BackgroundSettings | None = None
        self._problem_at_last_frame: Exception | None = None
        # Either the background that is wanted or the one in use.
        self._has_failed = False
        # A background was opened, could not be, or took too long.
        self.decided = False
        self._wait_until_s = 0.0
        self._is_accepting = False

    def retry(self) -> None:
        """Open the background again at the next frame if it failed or its file was changed (any
        thread).
        """
        wanted = self._requested
        if wanted is None:
            return
        if self._has_failed:
            self._opens_again = True
            return
        if wanted.file is not None and version_of(wanted.file) != self._file_version:
            self._opens_again = True

    def _open_again_if_failed(self) -> None:
        if self._has_failed:
            self._opens_again = True

    def update(self, wanted: BackgroundSettings) -> None:
        """Request the background of the settings in force, and use it once it is open."""
        if wanted is not self._requested or self._opens_again:
            is_other = self._opens_again or not opens_alike(wanted, self._requested)
            if is_other and wanted.kind in VALUES:
                self.builder.withdraw()
                self._accept(self._made(wanted), wanted)
            elif is_other and wanted.kind != "none":
                self.builder.request(wanted)
            self._requested = wanted
            self._opens_again = False
        if self.builder.outcome is not None:
            self._accept_outcome(wanted)
        if wanted.kind == "none":
            self._report(None)  # no background can fail
        in_use = self._settings_of_background
        if self._background is None or in_use is None or wanted is in_use:
            return
        # What differs then, such as how an image is fitted, needs no other background.
        if opens_alike(wanted, in_use):
            self._settings_of_background = wanted
            self._background.apply_layout(wanted)

    @property
    def pending(self) -> bool:
        """Whether a background is still to be opened, or taken into use with the report of its
        problem (any thread).
        """
        # In this order: what is taken is accepted from before it stops to be pending.
        return self.builder.pending or self._is_accepting

    def _accept_outcome(self, in_force: BackgroundSettings) -> None:
        self._is_accepting = True
        try:
            outcome = self.builder.take_outcome()
            if outcome is not None:
                self._accept(outcome, in_force)
        finally:
            self._is_accepting = False

    def _made(self, settings: BackgroundSettings) -> Built[BackgroundSettings, Background]:
        """Return the background of a value, which needs no other thread."""
        try:
            return Built(settings, self._parts.open_background(settings), None)
        except Exception as error:  # noqa: BLE001 - carried to the status; the room stays hidden
            return Built(settings, None, error)

    def _open(self, settings: BackgroundSettings) -> Background:
        """Open a background: called on the thread of the builder."""
        self.builder.reach(settings.file, self._open_again_if_failed)
        problem = partial(
            t,
            "The background {background} does not open; reconnect its disk, or start the program "
            "again with another background.",
            background=settings.text,
        )
        with self.builder.blocking_call(problem, self._timing.open_hang_s):
            path = settings.path
            self._file_version = None if path is None else version_of(path)
            return self._parts.open_background(settings)

    def _accept(
        self,
        outcome: Built[BackgroundSettings, Background],
        in_force: BackgroundSettings,
    ) -> None:
        """Use a background that was opened, unless the settings in force have left it meanwhile."""
        opened_for = outcome.key
        is_wanted = opens_alike(opened_for, in_force)
        if is_wanted:
            self.decided = True
            self._report(outcome.error)
        unused = outcome.value
        if outcome.value is not None and is_wanted:
            unused = self._background
            self._background = outcome.value
            self._settings_of_background = opened_for
            self._problem_at_last_frame = None
        if unused is not None:
            self.builder.retire(unused)  # closing a video may take longer than a frame

    def wait(self) -> None:
        """Note that a frame waits for the first background.

        For `background_wait_s` from the first call at most.
        """
        now_s = time.perf_counter()
        self._wait_until_s = self._wait_until_s or now_s + self._timing.background_wait_s
        self.decided = now_s >= self._wait_until_s

    def backdrop(
        self,
        frame: Frame,
        wanted: BackgroundSettings,
        time_s: float,
    ) -> tuple[Backdrop, BackgroundSettings]:
        """Return what is behind the person in this frame, and its settings.

        Grey if there is no background.

        The settings are those of a blurred room that is in use until the wanted background is open,
        else the wanted.
        """
        shown: Backdrop | None = None
        if self._background is not None:
            try:
                shown = self._background.backdrop(*frame.size, time_s)
                problem: Exception | None = self._background.problem
            except Exception as error:  # noqa: BLE001
                # Carried to the status; the room stays hidden.
                problem = error
            if problem is not self._problem_at_last_frame:
                self._problem_at_last_frame = problem
                self._report(problem)
        if shown is None:
            shown = np.full_like(frame.image, PLAIN_GREY)
        in_use = self._settings_of_background
        if in_use is not None and in_use.kind == "blur":
            return shown, in_use
        return shown, wanted

    def _report(self, problem: Exception | None) -> None:
        self._has_failed = problem is not None
        self._board.report(Stage.BACKGROUND, problem, self)

    def close(self) -> None:
        """Close the background in use."""
        if self._background is not None:
            self._background.close()


# The part of its stage that reports a card that cannot be drawn as wanted.
CARD = "standby-card"


@dataclass(frozen=True, slots=True)
class CardKey:
    """What a card depends on; width and height in pixels."""

    text: str
    image: Path | None
    width: int
    height: int


class StandbyPictures:
    """Draws and keeps the card of the settings in force. `card` and `retry` are thread-safe."""

    def __init__(
        self,
        board: StatusBoard,
        draw: Callable[[str, Path | None, int, int], BgrImage] = draw_card,
        default_text: Callable[[], str] = lambda: "",
        missing_letters: Callable[[str], Text | None] = missing_letters,
    ) -> None:
        """draw: as `draw_card`.
        default_text: returns the text of a card without text and image, in the user's language
        (any thread).
        missing_letters: says which letters of a text have no font.
        """
        self._missing_letters = missing_letters
        self._default_text = default_text
        self._board = board
        self._draw = draw
        self._lock = threading.Lock()
        # Of the card asked for last, which is drawn or
        # being drawn; None: the next one is drawn anew.
        self._requested: CardKey | None = None
        # The one drawn last: it stands in for the card
        # that is being drawn, if the size is the same.
        self._card: Picture | None = None
        self.builder: Builder[CardKey, None] = Builder(
            CARD,
            self._make_card,
            lambda _: None,
            niceness=NICENESS,
        )

    def card(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """Return the card at this size without waiting.

        Until it is drawn, the last card or a plain picture.
        """
        text = settings.standby_text.strip()
        if not text and not settings.standby_image:
            text = self._default_text()
        key = CardKey(text, settings.standby_image, width, height)
        with self._lock:
            before = self._requested
            if key != before:
                # At another size the same problem comes again: it would only flicker.
                if before is not None and (key.text, key.image) != (before.text, before.image):
                    self._board.report(Stage.OUTPUT, None, CARD)
                self._requested = key
                self.builder.request(key)
            if self._card is None or self._card.size != (width, height):
                self._card = Picture(_plain(width, height), PictureKind.STANDBY)
            return self._card

    def retry(self) -> None:
        """Draw the next card anew: its image may be there now."""
        with self._lock:
            self._requested = None
            self._board.report(Stage.OUTPUT, None, CARD)

    def _make_card(self, key: CardKey) -> None:
        """Draw a card; without its image if that fails, a plain picture if that fails too."""
        drawn = _plain(key.width, key.height)
        problem: Exception | Text | None = None
        images: list[Path | None] = [None] if key.image is None else [key.image, None]
        for image in images:
            try:
                self.builder.reach(image, self.retry)
                text = key.text
                if not text and image is None:
                    text = self._default_text()
                drawn = self._draw(text, image, key.width, key.height)
                problem = problem or self._missing_letters(key.text)
                break
            except Exception as error:  # noqa: BLE001
                # Reported; it would be drawn again at each tick. The first one is the cause.
                problem = problem or error
        with self._lock:
            if key == self._requested:
                self._card = Picture(drawn, PictureKind.STANDBY)
                self._board.report(Stage.OUTPUT, problem, CARD)


def _plain(width: int, height: int) -> BgrImage:
    return np.full((height, width, 3), PLAIN_GREY, np.uint8)
