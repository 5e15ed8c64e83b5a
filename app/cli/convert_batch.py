"""The command `convert` for several clips: progress, JSON events, signals, exit code."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from rich.progress import TaskProgressColumn

from app.cli.terminal import notify, progress_bar
from app.config import logs
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from app.core.errors import counted
from app.system.process import handled

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.offline.batch import Event
    from app.offline.job import Executor

RAY_ADDRESS = re.compile(r"auto|local|ray://\S+|[\w.-]+:\d+")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of the command for several clips."""

    jobs: int | None
    resume: bool
    as_json: bool
    cluster: str | None
    alpha: str | None
    foreground: str | None
    overwrite: bool
    transparent: bool | None
    fps: Fraction | None = None


def with_cluster_address(argv: Sequence[str]) -> list[str]:
    """Return the arguments with an address for a `--cluster` without one, which means Ray on this machine.

    A clip that follows is no address: those are `auto`, `local`, `host:port` and `ray://host:port`.
    """
    words = list(argv)
    for index, word in enumerate(words):
        if word == "--cluster" and not (index + 1 < len(words) and RAY_ADDRESS.fullmatch(words[index + 1])):
            words[index] = "--cluster=local"
    return words


def is_batch(sources: Sequence[str], target: str, options: BatchOptions) -> bool:
    """Return whether the command converts several clips into a folder, in place of one clip into a file."""
    from app.offline.plan import clips_in
    from app.offline.remote import is_remote

    asked = options.jobs is not None or options.resume or options.cluster is not None
    remote = any(map(is_remote, (*sources, target)))
    return asked or remote or len(sources) > 1 or clips_in(sources[0]) != [sources[0]]


def convert_many(sources: Sequence[str], folder: str, settings: Settings, options: BatchOptions) -> int:
    """Convert the clips and return the exit code. Raises MattecamError."""
    from app.offline.batch import StopRequest, convert_batch
    from app.offline.executors import Processes
    from app.offline.plan import plan_jobs

    alpha, foreground, overwrite = options.alpha, options.foreground, options.overwrite
    jobs = plan_jobs(
        sources,
        folder,
        settings,
        alpha=alpha,
        foreground=foreground,
        overwrite=overwrite,
        transparent=options.transparent,
        fps=options.fps,
    )
    tell_left_out(sources, folder, options)

    def executor() -> Executor:
        if options.cluster is None:
            return Processes(min(options.jobs or 1, len(jobs)), logs.set_up_console)
        from app.offline.executors import RayTasks

        return RayTasks(options.cluster, options.jobs or os.cpu_count() or 1)

    stop = StopRequest()
    with handled(stop), _shown(len(jobs), options.as_json) as tell:
        ended = convert_batch(jobs, folder, executor, resume=options.resume, tell=tell, stop=stop)
    done, skipped, failed, interrupted = (ended[state] for state in ("done", "skipped", "failed", "interrupted"))
    text = (
        f"Clips: {len(jobs)}, of which {done} done, {skipped} left out because they were done before, {failed} "
        f"failed, {interrupted} interrupted."
    )
    if options.as_json:
        notify(text)
    else:
        print(text)
    if stop.requests:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if failed or interrupted else EXIT_DONE


def tell_left_out(sources: Sequence[str], target: str, options: BatchOptions) -> None:
    """Say what in the folders is not converted. Raises MattecamError."""
    from app.media.image_file import others_left_out
    from app.offline.plan import folders_beside_clips, others_beside_clips

    outputs = [name for name in (target, options.alpha, options.foreground) if name is not None]
    for source in sources:
        if others := others_beside_clips(source):
            notify(others_left_out(source, others))
        if count := folders_beside_clips(source, outputs):
            notify(
                f"Folders of videos in {source} are not searched: {count}. To convert their videos, name these "
                "folders too."
            )


@contextmanager
def _shown(clips: int, as_json: bool) -> Iterator[Callable[[Event], None]]:
    """Yield a function that shows events: JSON lines on standard output, or a bar over all clips."""
    if as_json:
        yield lambda event: print(json.dumps(asdict(event)), flush=True)
        return
    shares: dict[str, float] = {}
    with progress_bar(counted(clips, "clip"), TaskProgressColumn()) as show:

        def tell(event: Event) -> None:
            if event.state == "failed" or event.error:
                error = event.error or event.state
                notify(error if event.file in error else f"{event.file}: {error}")
            ended = event.state not in ("started", "progress")
            shares[event.file] = 1.0 if ended else min(event.frames / (event.expected_frames or 1e9), 1.0)
            show(round(1000 * sum(shares.values())), 1000 * clips)

        yield tell
