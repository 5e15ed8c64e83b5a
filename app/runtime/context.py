"""What a pipeline is given and what its threads share.

Constructors of its parts, intervals, settings, status board.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.backgrounds.kinds import Background
from app.backgrounds.standby import DEFAULT_TEXT, NO_CAMERA_TEXT
from app.capture.base import FrameSource
from app.core.errors import Text
from app.core.settings import BackgroundSettings, CaptureSettings, EngineSettings, FramingSettings
from app.core.threads import elapsed_s
from app.matting.choice.governor import WINDOW_S
from app.matting.interface import MattingEngine
from app.output.base import OpenSink, ReaderCounter, SinkSpec
from app.output.sound import OpenMicrophone
from app.privacy.plausibility import HOLD_S, STALE_S
from app.runtime.lock_pause import Lock, open_lock
from app.runtime.status import Phase, StatusBoard
from app.settings import SettingsOwner
from app.stream import SelfTest

if TYPE_CHECKING:
    from app.matting.choice.preparation import Preparation


@dataclass(frozen=True, slots=True)
class Timing:
    """All durations in seconds."""

    # Wait before a source that could not be opened is tried again.
    source_retry_s: float = 1.0
    # A source without a frame for this long counts as lost.
    source_timeout_s: float = 2.0
    # While paused, one frame is read in this time, so that
    # the engine follows the settings and the camera's size.
    paused_interval_s: float = 1.0
    # Wait before an engine that failed is built again.
    engine_retry_s: float = 5.0
    # Bound for which the first composite waits for its
    # background; after it, plain grey takes its place.
    background_wait_s: float = 2.0
    # Wait before a sink that failed is opened again, in place of that of its `SinkSpec`.
    sink_retry_s: float | None = None
    stale_s: float = STALE_S
    # The same for a composite that was made under other
    # settings, which may show what is hidden now.
    outdated_s: float = 0.5
    # A driver that has not returned from reading or sending a frame for this long is reported.
    hang_s: float = 5.0
    # The same for a network, which other programs may hold up.
    step_hang_s: float = 20.0
    # The same for opening a source, an output or a background.
    open_hang_s: float = 20.0
    # Interval at which the inference thread looks for a new engine or background while no
    # frame arrives.
    poll_s: float = 0.25
    # Interval at which readers are counted. Together with the
    # camera's start-up it bounds how long a reader waits.
    demand_poll_s: float = 0.25
    # The camera stays open for this long after the last
    # reader: programs close and reopen a camera as they start.
    demand_linger_s: float = 3.0
    # Interval at which the watchdog checks the threads, and
    # at which it sends the card in place of a dead clock.
    watchdog_s: float = 0.1
    plausibility_hold_s: float = HOLD_S
    governor_window_s: float = WINDOW_S
    # Goes on while the machine is suspended.
    clock: Callable[[], float] = elapsed_s


def default_standby_text(phase: Phase, preparing: Text | None) -> str:
    """Return the text of the stand-by card in English; see `PipelineParts.standby_text`."""
    if preparing is not None and phase.shows_preparation:
        return preparing
    return NO_CAMERA_TEXT if phase is Phase.NO_CAMERA else DEFAULT_TEXT


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """Constructors of sources, engines, backgrounds and sinks.

    Each raises a MattecamError if it fails.
    """

    open_source: Callable[[CaptureSettings], FrameSource]
    # (settings, width, height, the crop of the source's frames that the engine is given)
    build_engine: Callable[[EngineSettings, int, int, FramingSettings], MattingEngine]
    open_background: Callable[[BackgroundSettings], Background]
    sinks: Sequence[SinkSpec[Any]]
    # (`default` or a name)
    open_microphone: OpenMicrophone
    # (device of the virtual camera)
    watch_readers: Callable[[str], ReaderCounter]
    # Called before an engine's first frame and when its alpha is suspicious.
    self_test: SelfTest = lambda engine, width, height: None
    # Prepares this machine once for its engines.
    preparation: Preparation | None = None
    # (a source as in the settings): the device file of its camera, if it is one.
    source_device: Callable[[str], str] = lambda source: ""
    # (a source as in the settings): the file that it names, if any.
    source_file: Callable[[str], Path | None] = lambda source: None
    # (phase, what is being prepared): text of the card while the settings have none, in the
    # user's language.
    standby_text: Callable[[Phase, Text | None], str] = default_standby_text
    # Opens what tells whether the screen is locked.
    open_lock: Callable[[], Lock | None] = open_lock

    def with_sinks(self, **openers: OpenSink) -> PipelineParts:
        """Return these parts with other constructors of the sinks of these names."""
        sinks = [replace(spec, open=openers.get(spec.name, spec.open)) for spec in self.sinks]
        return replace(self, sinks=sinks)


def default_parts() -> PipelineParts:
    """Return the parts of the product.

    They are imported here so that packages load only where they are used.
    """
    from app.backgrounds import open_background
    from app.capture import SourceOpener, source_device, source_file
    from app.matting import build_engine
    from app.matting.choice.preparation import preparation
    from app.output.camera_list import ReaderWatch, is_busy
    from app.output.microphones import open_microphone
    from app.output.table import SINKS
    from app.runtime.self_test import self_test

    def build_prepared(
        settings: EngineSettings,
        width: int,
        height: int,
        framing: FramingSettings,
    ) -> MattingEngine:
        in_openvino = preparation.ensure_for(settings, measured=False)
        engine = build_engine(settings, width, height, framing, shared=True, live=True)
        if in_openvino:
            preparation.measure_beside()
        return engine

    return PipelineParts(
        SourceOpener(is_busy),
        build_prepared,
        open_background,
        SINKS,
        open_microphone,
        ReaderWatch,
        self_test,
        preparation,
        source_device,
        source_file,
    )


@dataclass(frozen=True, slots=True)
class PipelineContext:
    """The settings, the parts, the board and the intervals of one run. Any thread."""

    owner: SettingsOwner
    parts: PipelineParts
    timing: Timing = field(default_factory=Timing)
    board: StatusBoard = field(default_factory=StatusBoard)
    # Set while no frame step runs, for work that can wait.
    between_steps: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """No step runs yet."""
        self.between_steps.set()
