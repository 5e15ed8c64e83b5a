"""The command `convert`: one clip, or several with a manifest; progress, JSON events, signals, exit code."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import TaskProgressColumn

from app.cli.options import FILM_OPTIONS, LiveOptions, film_settings, on_console, with_live_options
from app.cli.terminal import notify, progress_bar
from app.config import logs
from app.config.setting import TRANSPARENT
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from app.core.errors import MattecamError, UsageError, counted
from app.core.process import handled

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.offline.batch import Event, State
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
    from app.offline.job import is_remote
    from app.offline.plan import clips_in

    asked = options.jobs is not None or options.resume or options.cluster is not None
    remote = any(map(is_remote, (*sources, target)))
    return asked or remote or len(sources) > 1 or clips_in(sources[0]) != [sources[0]]


@with_live_options(*FILM_OPTIONS)
def convert(
    *,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="IN", help="Videos, images, folders of images, or folders of videos.")
    ] = None,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="The composite: a video, an image or a folder.",
        ),
    ],
    background: Annotated[
        str | None,
        typer.Option(
            metavar="transparent|blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
            help="Background behind the person; transparent cuts the person out.",
        ),
    ] = None,
    alpha: Annotated[str | None, typer.Option(metavar="FILE", help="Also write the matte here.")] = None,
    foreground: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Also write the foreground, premultiplied by the matte, here."),
    ] = None,
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="When interrupted, keep the frames so far in name.part.mp4.")
    ] = False,
    fps: Annotated[
        str | None,
        typer.Option(metavar="RATE", help="Frame rate of a folder of images, such as 24000/1001; default 30."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Worker processes, each on its own core; by default one on all."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip clips that the manifest shows as done and unchanged.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="[=ADDRESS]", help="Convert on Ray, on this machine or at this address."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist; without it the command is refused.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event per line.")] = False,
    live: LiveOptions,
) -> None:
    """Matte videos, images or folders of images offline: every frame once and in order, with audio.

    Several clips, or a folder of videos, go into the folder OUT under their names, with a manifest. Without
    --background, --profile and --config pictures are cut out, with a transparent background, and films are green;
    strict mode is off unless --strict is given.
    """
    if not sources:  # the only name was taken for OUT
        raise UsageError(f"OUT is missing; name the result after {target}.")
    settings, transparent = on_console(live, partial(film_settings, background=background)), None
    if any(given is not None for given in (background, live.profile, live.config)):
        transparent = background == TRANSPARENT
    from app.offline.files import check_names, frame_rate

    rate = None if fps is None else frame_rate(fps)
    options = BatchOptions(jobs, resume, as_json, cluster, alpha, foreground, overwrite, transparent, rate)
    check_names([*sources, target, *(name for name in (alpha, foreground) if name is not None)])
    if is_batch(sources, target, options):
        if keep_partial:
            raise UsageError(
                "--keep-partial is for a single clip; of several, --resume converts the interrupted ones again."
            )
        raise typer.Exit(convert_many(sources, target, settings, options))
    raise typer.Exit(_convert_one(Path(sources[0]), target, settings, options, keep_partial=keep_partial))


def _convert_one(source: Path, name: str, settings: Settings, options: BatchOptions, *, keep_partial: bool) -> int:
    """Convert one clip and return the exit code. Raises MattecamError."""
    from app.offline.batch import Event, StopRequest
    from app.offline.convert import convert as run_convert
    from app.offline.files import single_output

    def event(state: State, frames: int = 0, expected: int | None = None, error: str | None = None) -> None:
        if options.as_json:
            print(json.dumps(asdict(Event(str(source), state, frames, expected, error))), flush=True)

    target = single_output(source, name, options.transparent)
    alpha, foreground = (
        None if each is None else single_output(source, each) for each in (options.alpha, options.foreground)
    )
    tell_left_out([str(source)], name, options)
    stop = StopRequest(most=1)
    event("started")
    try:
        with handled(stop), progress_bar(source.absolute().name, TaskProgressColumn()) as show:
            report = run_convert(
                source,
                target,
                settings=settings,
                alpha=alpha,
                foreground=foreground,
                keep_partial=keep_partial or None,
                progress=(lambda done, total: event("progress", done, total)) if options.as_json else show,
                should_stop=lambda: stop.requests > 0,
                overwrite=options.overwrite,
                transparent=options.transparent,
                fps=options.fps,
            )
    except MattecamError as error:
        event("failed", error=str(error))
        raise
    for problem in report.problems:
        notify(problem)
    problems = " ".join(report.problems) or None
    state: State = "interrupted" if not report.complete else "failed" if report.source_cut else "done"
    event(state, report.frames, report.expected_frames, problems)
    if not report.complete and report.target == target:
        notify(
            f"Interrupted (frames so far: {report.frames}); nothing was kept. --keep-partial keeps the frames so far."
        )
    elif not options.as_json:
        print(f"{report.target}: {counted(report.frames, 'frame')}{'' if report.complete else ', interrupted'}")
    if not report.complete:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if report.source_cut else EXIT_DONE


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
    from app.offline.plan import left_out

    outputs = [name for name in (target, options.alpha, options.foreground) if name is not None]
    for source in sources:
        for text in left_out(source, outputs):
            notify(text)


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
