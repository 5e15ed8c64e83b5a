"""The command `convert`: one clip, or several with a manifest.

Progress, JSON events, signals, exit code.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import TaskProgressColumn

from app.cli.options import FILM_OPTIONS, LiveOptions, with_live_options
from app.cli.start import film_settings, on_console
from app.cli.terminal import notify, progress_bar
from app.config import logs
from app.config.setting import TRANSPARENT
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from app.core.errors import MattecamError, UsageError, counted
from app.core.process import handled

if TYPE_CHECKING:
    from app.offline.batch import Event, State
    from app.offline.job import Executor

RAY_ADDRESS = re.compile(r"auto|local|ray://\S+|[\w.-]+:\d+")


@dataclass(frozen=True)
class FilmOptions:
    """Options of the command beside those of live runs."""

    matte: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Use this matte, a film or a folder of images, in place of a network's.",
        ),
    ] = None
    alpha: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the matte here.",
        ),
    ] = None
    foreground: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the foreground, premultiplied by the matte, here.",
        ),
    ] = None
    fps: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="Frame rate of a folder of images, such as 24000/1001; default 30.",
        ),
    ] = None
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Worker processes, each on its own core; by default one on all.",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip clips that the manifest shows as done and unchanged.",
        ),
    ] = False
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="[=ADDRESS]",
            help="Convert on Ray, on this machine or at this address.",
        ),
    ] = None
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace files that exist; without it the command is refused.",
        ),
    ] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event per line.")] = False


def with_cluster_address(argv: Sequence[str]) -> list[str]:
    """Return the arguments with an address for a `--cluster` without one, which means Ray on
    this machine.

    A clip that follows is no address: those are `auto`, `local`, `host:port` and `ray://host:port`.
    """
    words = list(argv)
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == "--cluster" and not RAY_ADDRESS.fullmatch(following):
            words[index] = "--cluster=local"
    return words


@with_live_options(*FILM_OPTIONS)
def convert(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IN",
            help="Videos, images, folders of images, or folders of videos.",
        ),
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
    options: FilmOptions,
    live: LiveOptions,
) -> None:
    """Matte videos, images or folders of images offline: every frame once and in order, with audio.

    Several clips, or a folder of videos, go into the folder OUT under their names, with a manifest.
    Without --background, --profile and --config pictures are cut out, with a transparent
    background, and films are green.
    """
    if not sources:  # the only name was taken for OUT
        raise UsageError(f"OUT is missing; name the result after {target}.")
    settings = on_console(live, partial(film_settings, background=background))
    # None: it follows from the file, as pictures are cut out and films are green.
    transparent = None
    if background is not None or live.profile is not None or live.config is not None:
        transparent = background == TRANSPARENT
    from app.offline.files import check_names, frame_rate
    from app.offline.job import is_remote
    from app.offline.plan import clips_in, left_out, outputs_by_use

    rate = None if options.fps is None else frame_rate(options.fps)
    outputs = outputs_by_use(target, alpha=options.alpha, foreground=options.foreground)
    names = [*sources, *outputs.values()]
    if options.matte is not None:
        names.append(str(options.matte))
    check_names(names)
    for source in sources:
        for text in left_out(source, outputs):
            notify(text)
    is_batch = (
        options.jobs is not None
        or options.resume
        or options.cluster is not None
        or any(is_remote(name) for name in (*sources, *outputs.values()))
        or len(sources) > 1
        or clips_in(sources[0]) != [sources[0]]  # a folder of clips
    )
    if is_batch and options.matte is not None:
        raise UsageError(
            "--matte belongs to a single source, without --jobs, --resume and --cluster; leave it "
            "out.",
        )
    how = {
        "settings": settings,
        "overwrite": options.overwrite,
        "transparent": transparent,
        "fps": rate,
    }
    run = _convert_many if is_batch else _convert_one
    raise typer.Exit(run(sources, target, options, how))


def _convert_one(
    sources: Sequence[str],
    name: str,
    options: FilmOptions,
    how: Mapping[str, Any],
) -> int:
    """Convert the only clip and return the exit code.

    how: arguments of `convert_clip`. Raises MattecamError.
    """
    from app.offline.batch import Event, StopRequest
    from app.offline.convert import convert_clip
    from app.offline.files import single_output

    source = Path(sources[0])

    def event(
        state: State,
        frames: int = 0,
        expected: int | None = None,
        error: str | None = None,
        *,
        unusable: bool = False,
    ) -> None:
        if options.as_json:
            _print_event(Event(str(source), state, frames, expected, error, unusable))

    target = single_output(source, name, how["transparent"])
    alpha = None
    if options.alpha is not None:
        alpha = single_output(source, options.alpha)
    foreground = None
    if options.foreground is not None:
        foreground = single_output(source, options.foreground)
    stop = StopRequest(most=1)
    event("started")
    try:
        with handled(stop), progress_bar(source.absolute().name, TaskProgressColumn()) as show:
            report = convert_clip(
                source,
                target,
                matte=options.matte,
                alpha=alpha,
                foreground=foreground,
                progress=(lambda done, total: event("progress", done, total))
                if options.as_json
                else show,
                should_stop=lambda: stop.requests > 0,
                **how,
            )
    except MattecamError as error:
        event("failed", error=str(error), unusable=error.unusable)
        raise
    for problem in report.problems:
        notify(problem)
    state: State = "done"
    if not report.complete:
        state = "interrupted"
    elif report.source_cut:
        state = "failed"
    problems = " ".join(report.problems) or None
    event(state, report.frames, report.expected_frames, problems)
    if not report.complete:
        notify(f"Interrupted (frames so far: {report.frames}); nothing was kept.")
        return EXIT_INTERRUPTED
    if not options.as_json:
        print(f"{report.target}: {counted(report.frames, 'frame')}")
    return EXIT_FAILED if report.source_cut else EXIT_DONE


def _convert_many(
    sources: Sequence[str],
    folder: str,
    options: FilmOptions,
    how: Mapping[str, Any],
) -> int:
    """Convert the clips and return the exit code.

    how: arguments of `plan_jobs`. Raises MattecamError.
    """
    from app.offline.batch import StopRequest, convert_batch
    from app.offline.executors import Processes, load_ray
    from app.offline.plan import plan_jobs

    if options.cluster is not None:
        load_ray()  # before OUT is created
    jobs = plan_jobs(sources, folder, alpha=options.alpha, foreground=options.foreground, **how)

    def executor() -> Executor:
        if options.cluster is None:
            return Processes(min(options.jobs or 1, len(jobs)), logs.set_up_console)
        from app.offline.executors import RayTasks

        return RayTasks(options.cluster, options.jobs or os.cpu_count() or 1)

    stop = StopRequest()
    unusable: list[str] = []
    with handled(stop), _shown(len(jobs), options.as_json) as show:

        def tell(event: Event) -> None:
            show(event)
            if event.unusable:
                unusable.append(event.file)

        ended = convert_batch(jobs, folder, executor, resume=options.resume, tell=tell, stop=stop)
    failed = ended["failed"]
    interrupted = ended["interrupted"]
    text = (
        f"Clips: {len(jobs)}, of which {ended['done']} done, {ended['skipped']} left out because "
        f"they were done before, {failed} failed, {interrupted} interrupted."
    )
    if options.as_json:
        notify(text)
    else:
        print(text)
    if stop.requests:
        return EXIT_INTERRUPTED
    if not failed and not interrupted:
        return EXIT_DONE
    if len(jobs) == 1 and unusable:
        return EXIT_USAGE
    # Of several clips the others may be done: something failed while the command ran.
    return EXIT_FAILED


def _print_event(event: Event) -> None:
    print(json.dumps(asdict(event)), flush=True)


@contextmanager
def _shown(clips: int, as_json: bool) -> Iterator[Callable[[Event], None]]:
    """Yield a function that shows events.

    JSON lines on standard output, or a bar over all clips.
    """
    if as_json:
        yield _print_event
        return
    shares: dict[str, float] = {}
    with progress_bar(counted(clips, "clip"), TaskProgressColumn()) as show:

        def tell(event: Event) -> None:
            if event.state == "failed" or event.error:
                error = event.error or event.state
                notify(error if event.file in error else f"{event.file}: {error}")
            share = 1.0
            if event.state in ("started", "progress"):
                # Of a stream without a known end the bar stays at its beginning.
                share = min(event.frames / (event.expected_frames or 1e9), 1.0)
            shares[event.file] = share
            show(round(1000 * sum(shares.values())), 1000 * clips)

        yield tell
