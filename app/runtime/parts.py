"""Constructors of the replaceable parts; tests replace them to inject faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.backgrounds.kinds import Background
from app.backgrounds.standby import DEFAULT_TEXT, NO_CAMERA_TEXT
from app.capture.base import FrameSource
from app.core.errors import Text
from app.core.settings import BackgroundSettings, CaptureSettings, EngineSettings, FramingSettings
from app.matting.base.interface import MattingEngine
from app.output.base import OpenSink, ReaderCounter, SinkSpec
from app.output.sound.microphone import OpenSource
from app.runtime.status import Phase


def default_standby_text(phase: Phase, preparing: Text | None) -> str:
    """Return the text of the stand-by card in English; see `Parts.standby_text`."""
    if phase is Phase.NO_CAMERA:
        return NO_CAMERA_TEXT
    return preparing if phase is Phase.STARTING and preparing is not None else DEFAULT_TEXT


@dataclass(frozen=True, slots=True)
class Parts:
    """Constructors of sources, engines, backgrounds and sinks. Each raises a MattecamError if it fails."""

    open_source: Callable[[CaptureSettings], FrameSource]
    build_engine: Callable[[EngineSettings, int, int, FramingSettings], MattingEngine]
    """(settings, width, height, the crop of the source's frames that the engine is given)"""
    open_background: Callable[[BackgroundSettings], Background]
    sinks: Sequence[SinkSpec[Any]]
    open_microphone: OpenSource
    """(`default` or a name)"""
    watch_readers: Callable[[str], ReaderCounter]
    """(device of the virtual camera)"""
    self_test: Callable[[MattingEngine, int, int], None] = lambda engine, width, height: None
    """(engine, width, height of its frames): raises ModelError if the engine fails on known frames. Called before
    an engine's first frame and when its alpha is suspicious."""
    prepare: Callable[[EngineSettings], None] = lambda settings: None
    """Begins to prepare this machine, once, for the engines of these settings."""
    preparing: Callable[[], Text | None] = lambda: None
    """What is being prepared once for this machine, for the user; None while nothing is."""
    when_measured: Callable[[Callable[[], None]], None] = lambda callback: None
    """Calls the function after each measurement of this machine: the same settings may then mean another engine."""
    cancel_preparing: Callable[[], None] = lambda: None
    """Ends the preparation, so that an engine that waits for it fails at once."""
    source_device: Callable[[str], str] = lambda source: ""
    """(a source as in the settings): the device file of its camera, if it is one"""
    standby_text: Callable[[Phase, Text | None], str] = default_standby_text
    """(phase, what is being prepared): text of the stand-by card while the settings have none, in the user's
    language"""

    def with_sinks(self, **openers: OpenSink) -> Parts:
        """Return these parts with other constructors of the sinks of these names."""
        return replace(self, sinks=[replace(spec, open=openers.get(spec.name, spec.open)) for spec in self.sinks])


def default_parts() -> Parts:
    """Return the parts of the product. They are imported here so that packages load only where they are used."""
    from app.backgrounds import open_background
    from app.capture import SourceOpener, source_device
    from app.matting import build_engine
    from app.matting.choice.preparation import preparation, prepare_for
    from app.output.camera_list import ReaderWatch, is_busy
    from app.output.sound.devices import open_microphone
    from app.output.table import SINKS
    from app.privacy.self_test import self_test

    def build_prepared(settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> MattingEngine:
        in_openvino = prepare_for(settings, measured=False)
        engine = build_engine(settings, width, height, framing, shared=True, live=True)
        if in_openvino:
            preparation.measure_beside()
        return engine

    return Parts(
        SourceOpener(is_busy),
        build_prepared,
        open_background,
        SINKS,
        open_microphone,
        ReaderWatch,
        self_test,
        preparation.begin,
        lambda: preparation.progress,
        preparation.when_measured,
        preparation.cancel,
        source_device,
    )
