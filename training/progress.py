"""Progress on a terminal, through rich where it is installed."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
_EVERY_S = 20.0


def track(items: Sequence[T], label: str) -> Iterator[T]:
    """Yield the items and show how many are done."""
    if importlib.util.find_spec("rich") is not None:
        from rich.console import Console
        from rich.progress import track as rich_track

        yield from rich_track(items, label, console=Console(stderr=True))
        return
    said = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if number == len(items) or time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            print(f"{label}: {number} of {len(items)}", file=sys.stderr, flush=True)


class Bar:
    """Seconds of a run that are over, with a note; a context manager."""

    def __init__(self, total_s: float, begun_s: float, *, shown: bool) -> None:
        """total_s: length of the run; begun_s: where it begins; shown: False shows nothing."""
        self._total_s, self._shown, self._said = total_s, shown, time.monotonic()
        self._rich = None
        if shown and importlib.util.find_spec("rich") is not None:
            from rich.console import Console
            from rich.progress import Progress, TextColumn, TimeRemainingColumn

            columns = (
                *Progress.get_default_columns()[:3],
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._rich = Progress(*columns, console=Console(stderr=True))
            self._task = self._rich.add_task(
                "training", total=total_s, completed=int(begun_s), note=""
            )

    def __enter__(self) -> Bar:
        if self._rich is not None:
            self._rich.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._rich is not None:
            self._rich.stop()

    def update(self, done_s: float, note: str) -> None:
        """Show that so many seconds are over."""
        if self._rich is not None:
            self._rich.update(self._task, completed=done_s, note=note)
        elif self._shown and time.monotonic() - self._said > _EVERY_S:
            self._said = time.monotonic()
            print(f"{done_s:.0f} of {self._total_s:.0f} s: {note}", file=sys.stderr, flush=True)
