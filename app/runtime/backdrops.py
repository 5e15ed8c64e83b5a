"""What is opened and drawn beside the frame path: the background in use and the stand-by cards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.backgrounds.kinds import Background
from app.backgrounds.standby import StandbyCard
from app.config.parsing import describe_background
from app.core.errors import Stage, t
from app.core.files import version_of
from app.core.settings import BackgroundSettings, OutputSettings, opens_alike
from app.core.types import Backdrop, BgrImage, Frame, Picture, PictureKind
from app.runtime.context import Timing
from app.runtime.status import StatusBoard
from app.runtime.worker import Prepared, Preparer

PLAIN_GREY = 24
"""Grey level (0..255) in place of a background or card that is not ready; about as dark as the card's edge. A blurred
room would still show its colours."""


class Backdrops:
    """Owns the background in use. Used on the inference thread, but for `prepare`, `retry` and `preparer`."""

    def __init__(
        self,
        open_background: Callable[[BackgroundSettings], Background],
        board: StatusBoard,
        timing: Timing,
    ) -> None:
        """open_background: called on a thread of its own."""
        self._version: object = None
        """Of the file that was opened last, from before it was read."""

        def opened(settings: BackgroundSettings) -> Background:
            name = describe_background(settings)
            with self.preparer.calling(
                lambda: t(
                    "The background {background} does not open; reconnect its disk, or start the program again with "
                    "another background.",
                    background=name,
                ),
                timing.open_hang_s,
            ):
                self._version = settings.path and version_of(settings.path)
                return open_background(settings)

        self.preparer: Preparer[BackgroundSettings, Background] = Preparer(
            "background-opener",
            opened,
            lambda background: background.close(),
            Stage.BACKGROUND,
            low_priority=True,
        )
        self._board, self._timing = board, timing
        self._background: Background | None = None
        self._settings: BackgroundSettings | None = None
        """What the background in use follows."""
        self._problem: Exception | None = None
        """Of the background in use, at the last frame."""
        self._broken = False
        """The background that is wanted, or the one in use, has failed."""
        self.answered = False
        """A background was opened, could not be, or took too long."""
        self._wait_until_s = 0.0
        self._request_lock = threading.Lock()
        self._requested: BackgroundSettings | None = None
        """The newest settings; a background was requested for their `opened`."""

    def retry(self) -> None:
        """Open the background again at the next frame if it failed or its file was changed (any thread)."""
        with self._request_lock:
            wanted = self._requested
        if wanted is None:
            return
        changed = wanted.file is not None and version_of(wanted.file) != self._version
        with self._request_lock:
            if (self._broken or changed) and self._requested is wanted:
                self._requested = None

    def prepare(self, wanted: BackgroundSettings) -> None:
        """Open a background now, so that it is ready at the next frame (any thread)."""
        with self._request_lock:
            known, self._requested = self._requested, wanted
            if wanted is known or opens_alike(wanted, known):
                return
            if wanted.kind != "none":
                self.preparer.request(wanted)

    def follow(self, wanted: BackgroundSettings) -> None:
        """Use the background that the settings ask for, once it is open."""
        if wanted is not self._requested:
            self.prepare(wanted)
        if self.preparer.outcome is not None and (outcome := self.preparer.take()) is not None:
            self.answered = True
            self._take(outcome, wanted)
        if wanted.kind == "none":
            self._report(None)  # no background can fail
        if self._background is None or self._settings is None or wanted is self._settings:
            return
        if opens_alike(wanted, self._settings):
            self._settings = wanted
            self._background.follow(wanted)

    def _take(self, outcome: Prepared[BackgroundSettings, Background], asked_for: BackgroundSettings) -> None:
        """Use a background that was opened. asked_for: the settings in force."""
        wanted = opens_alike(outcome.key, asked_for)
        left = outcome.key.kind == "blur" and asked_for.kind != "blur"
        if outcome.value is not None and (wanted or not (left or opens_alike(asked_for, self._settings))):
            self._use(outcome.value, outcome.key)
            if wanted:
                self._report(None)
        elif outcome.value is not None:
            self.preparer.retire(outcome.value)  # the user has left that room, or returned to what is in use
        elif outcome.error is not None and wanted:
            self._report(outcome.error)

    def _use(self, background: Background, settings: BackgroundSettings) -> None:
        replaced, self._background = self._background, background
        self._settings, self._problem = settings, None
        if replaced is not None:
            self.preparer.retire(replaced)  # closing a video may take longer than a frame

    def shown(self, wanted: BackgroundSettings) -> BackgroundSettings:
        """Return the settings of what is shown: those of the blurred room that is in use until `wanted` is open."""
        used = self._settings
        return used if used is not None and used.kind == "blur" else wanted

    def wait(self) -> None:
        """Note that a frame waits for the first background: for `background_wait_s` from the first call at most."""
        now_s = time.perf_counter()
        self._wait_until_s = self._wait_until_s or now_s + self._timing.background_wait_s
        self.answered = now_s >= self._wait_until_s

    def backdrop(self, frame: Frame, time_s: float) -> Backdrop:
        """Return what is behind the person in this frame; grey if there is no background."""
        shown: Backdrop | None = None
        if self._background is not None:
            try:
                shown = self._background.backdrop(*frame.size, time_s)
                problem: Exception | None = self._background.problem
            except Exception as error:  # noqa: BLE001 - carried to the status; the room stays hidden
                problem = error
            if problem is not self._problem:
                self._problem = problem
                self._report(problem)
        return np.full_like(frame.image, PLAIN_GREY) if shown is None else shown

    def _report(self, problem: Exception | None) -> None:
        self._broken = problem is not None
        self._board.report(Stage.BACKGROUND, problem, self)

    def close(self) -> None:
        """Close the background in use."""
        if self._background is not None:
            self._background.close()


MAX_CACHED = 4
CARD = "standby-card"
"""The part of its stage that reports a card that cannot be drawn as wanted."""


CardKey = tuple[str, Path | None, int, int]
"""What a card depends on: text, image, width and height."""


def _plain(width: int, height: int) -> BgrImage:
    return np.full((height, width, 3), PLAIN_GREY, np.uint8)


class StandbyPictures:
    """Draws and caches the cards of the settings in force. `get` is thread-safe."""

    def __init__(
        self,
        board: StatusBoard,
        make_card: Callable[[str, Path | None], StandbyCard] = StandbyCard,
        default_text: Callable[[], str] = lambda: "",
    ) -> None:
        """make_card: makes the card of a text and an image file; raises BackgroundError.

        default_text: returns the text of a card without text and image, in the user's language (any thread).
        """
        self._default_text = default_text
        self._board = board
        self._make_card = make_card
        self._lock = threading.Lock()
        self._shown: tuple[str, Path | None] | None = None
        """Text and image of the card returned last."""
        self._cached: dict[tuple[int, int], Picture] = {}
        """Its pictures by size; one that could not be drawn is without its image, or plain."""
        self._requested: CardKey | None = None
        self._fallback: Picture | None = None
        """What was returned last: it stands in for the card that is being drawn, if the size is the same."""
        self.preparer: Preparer[CardKey, Picture] = Preparer(CARD, self._draw, lambda picture: None, low_priority=True)

    def get(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """Return the card at this size without waiting; until it is drawn, the last card or a plain picture."""
        text = settings.standby_text.strip() or ("" if settings.standby_image else self._default_text())
        key = text, settings.standby_image, width, height
        with self._lock:
            if key[:2] != self._shown:
                self._begin(key[:2])
            card = self._cached.get((width, height))
            if card is not None:
                self._requested, self._fallback = None, card
                return card
            if key != self._requested or not self.preparer.busy:
                self._requested = key
                self.preparer.request(key)
            if self._fallback is None or self._fallback.size != (width, height):
                self._fallback = Picture(_plain(width, height), PictureKind.STANDBY)
            return self._fallback

    def retry(self) -> None:
        """Draw the next card anew: its image may be there now (any thread)."""
        with self._lock:
            self._begin(None)

    def _begin(self, shown: tuple[str, Path | None] | None) -> None:
        """Draw all cards anew, of this text and image; close the problem of the last ones."""
        self._shown = shown
        self._cached.clear()
        self._board.report(Stage.OUTPUT, None, CARD)

    def _drawn(self, key: CardKey) -> tuple[BgrImage, Exception | None]:
        """Return the card, without its image if that fails, a plain picture if that fails too; and the failure."""
        text, image, width, height = key
        problem: Exception | None = None
        for tried in dict.fromkeys((image, None)):
            try:
                shown = text or ("" if tried else self._default_text())
                return self._make_card(shown, tried).image(width, height), problem
            except Exception as error:  # noqa: BLE001, PERF203 - reported; it would be drawn again at each tick
                problem = problem or error
        return _plain(width, height), problem

    def _draw(self, key: CardKey) -> Picture:
        drawn, problem = self._drawn(key)
        picture = Picture(drawn, PictureKind.STANDBY)
        with self._lock:
            if key[:2] == self._shown:
                while len(self._cached) >= MAX_CACHED:
                    del self._cached[next(iter(self._cached))]
                self._cached[picture.size] = picture
                if problem is not None:
                    self._board.report(Stage.OUTPUT, problem, CARD)
        return picture
