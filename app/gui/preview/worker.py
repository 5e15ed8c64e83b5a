"""Renders the preview on its own thread, so that the GUI thread only draws the result. Imports no Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.core.concurrency.threads import name_thread
from app.core.types import Picture
from app.gui.preview.rendering import Renderer, ViewRequest, matted, shows_room
from app.gui.preview.scaling import BgrxImage
from app.runtime.slot import LatestSlot, SlotClosed


class PreviewWorker:
    """Renders the requested view of the newest picture in the pipeline's slot and passes it to `show`.

    It sleeps until a picture or a request arrives, and renders nothing while no view is requested.
    """

    def __init__(
        self,
        pictures: LatestSlot[Picture],
        show: Callable[[BgrxImage, bool], None],
        is_captured: Callable[[], bool],
        release: Callable[[Picture], Picture],
    ) -> None:
        """show: takes an image and whether it shows the room. is_captured: whether the outputs may show the preview,
        because they show the screen; it then shows what `release` lets out.
        """
        self._is_captured, self._release = is_captured, release
        self._pictures = pictures
        self._show = show
        self._condition = threading.Condition()
        self._woken = False
        self._stopping = False
        self._request: ViewRequest | None = None
        self._newest: Picture | None = None
        self._renderer = Renderer()
        self._thread = threading.Thread(target=self._run, name="preview")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Announce a new picture (any thread)."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def request(self, request: ViewRequest | None) -> None:
        """Set the view from now on, None for nothing, and render the last picture again."""
        with self._condition:
            if request == self._request:
                return
            self._request = request
            self._woken = True
            self._condition.notify()

    @property
    def newest(self) -> Picture | None:
        """The newest picture taken from the slot."""
        with self._condition:
            return self._newest

    def stop(self, timeout_s: float) -> bool:
        """Stop the thread; return False if it did not end in time."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def died(self) -> bool:
        """Whether the thread has ended without `stop`."""
        return self._thread.ident is not None and not self._thread.is_alive() and not self._stopping

    def _run(self) -> None:
        name_thread("preview")
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._woken or self._stopping)
                if self._stopping:
                    return
                self._woken = False
                request = self._request
            picture = self._take()
            if picture is not None and request is not None and request.width > 0 and request.height > 0:
                if self._is_captured():
                    picture = self._release(picture)
                    request = matted(picture, request)
                self._show(self._renderer.render(picture, request), shows_room(picture, request))

    def _take(self) -> Picture | None:
        try:
            picture = self._pictures.get(timeout_s=0)
        except SlotClosed:
            picture = None
        with self._condition:
            if picture is not None:
                self._newest = picture
            return self._newest
