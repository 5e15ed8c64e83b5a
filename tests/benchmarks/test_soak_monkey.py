"""The soak: its commands, its files, and a short run."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from app.control.commands import parse_words
from app.core.errors import MattecamError
from app.core.settings import Settings
from app.runtime.pipeline import Pipeline
from app.testing.parts import room_picture
from benchmarks.soak import run
from benchmarks.soak_commands import CommandMonkey
from benchmarks.soak_files import SoakFiles
from benchmarks.soak_monkey import ROOMS, SoakWorld, rooms_in

SECONDS = 20.0


def test_commands_follow_from_the_seed_and_ask_for_no_room(tmp_path: Path) -> None:
    pipeline = Pipeline(Settings(), parts=SoakWorld().parts())
    monkey = CommandMonkey(pipeline, SoakFiles(tmp_path), [*ROOMS], ["auto"], seed=1)
    first, second = ([monkey.words(dice) for _ in range(500)] for dice in (random.Random("1-0"), random.Random("1-0")))
    names = {words[0] for words in first}
    assert {"background", "scene", "zones", "set", "record", "pause"} <= names
    assert [words[0] for words in first] == [words[0] for words in second]
    for words in first:
        assert words[:2] not in (["background", "none"], ["set", "background.kind"])
        try:
            parse_words(words)
        except MattecamError:
            assert words[0] in ("set", "reset")


def test_a_room_is_found_by_its_colour() -> None:
    image = room_picture()
    assert rooms_in(image) == ["camera:0"]
    image[3, 4] = ROOMS["camera:2"]
    assert rooms_in(image) == ["camera:0", "camera:2"]
    assert rooms_in(np.zeros_like(image)) == []


@pytest.mark.slow
@pytest.mark.error_logs
@pytest.mark.timeout(300)
def test_random_commands_and_faults_show_no_room() -> None:
    seed = time.time_ns() % 10_000
    report = run(10**9, SECONDS, "fake", seed)
    again = f"repeat with: python -m benchmarks.soak --seconds {SECONDS:g} --seed {seed}"
    assert sum(report.commands.values()) > 20, again
    assert not report.leaks, again
    assert report.ended, again
    grown = ("memory grew", "threads grew", "files grew", "too few samples")
    assert not [fault for fault in report.faults if not fault.startswith(grown)], again
