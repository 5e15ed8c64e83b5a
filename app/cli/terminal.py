"""What commands print besides results: messages and progress bars, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.config import program

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def notify(text: str) -> None:
    """Print a message for the user; its advice names the command of this copy."""
    print(f"mattecam: {program.advice(text)}", file=sys.stderr)


@contextmanager
def progress_bar(title: str, amount: ProgressColumn) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that shows (done, total); total None: unknown.

    The bar appears with its first call, so that an error before it is printed without a bar. title: plain text, such as
    a file name.
    """
    from rich.console import Console  # slow to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), amount, TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task(" ".join(title.split()), total=None)

    def show(done: int, total: int | None) -> None:
        progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        if progress.live.is_started:
            progress.stop()
