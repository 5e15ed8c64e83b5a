"""A new source is one module and one row: the command line, the settings and the pipeline know it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.capture import SourceName, SourceOpener, parse_source, table
from app.core.settings import CaptureSettings
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, composites, running
from tests.toy.source import TOY


def test_a_row_is_all_that_a_source_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_source("toy:90") == SourceName("file", "toy:90")
    monkeypatch.setattr(table, "SOURCES", (*table.SOURCES, TOY))
    assert parse_source("toy:90") == SourceName("toy", "90")
    assert parse_source("toy:blue") == SourceName("file", "toy:blue")

    world = FakeWorld()
    settings = BASE.replace(capture=CaptureSettings(source="toy:90", fps=120))
    with running(world, settings, parts=replace(world.parts(), open_source=SourceOpener())) as pipeline:
        composites(pipeline)
        info = pipeline.status().source
    assert info is not None and (info.kind, info.name) == ("toy", "Toy 90")
    newest = world.newest()
    assert newest.frame is not None and (newest.frame.image == 90).all()
