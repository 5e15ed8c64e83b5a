"""Files of the user whose disk does not answer: each is named, and holds up nothing but what needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from app.backgrounds.kinds import Background
from app.core import worker
from app.core.errors import BackgroundError
from app.core.files import no_answer
from app.core.settings import BackgroundSettings
from app.core.worker import Built, Reaching
from app.runtime import capture_worker
from app.runtime.backdrops import Backdrops
from app.runtime.context import PipelineContext, Timing
from app.runtime.pipeline import Pipeline
from app.settings import Settings, SettingsOwner
from tests.backgrounds.files import flat, write
from tests.fakes.states import reports
from tests.fakes.world import BASE, FakeWorld, apply, composites, live
from tests.waiting import eventually, eventually_is, no_longer


class DeadDisk:
    """A disk that has stopped to answer: whoever reads a file on it waits until it answers again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = threading.Event()
        self.reads = 0

    def touch(self, file: Path) -> None:
        """Read a file, in place of `app.core.files.touch`."""
        if file.is_relative_to(self.folder):
            self.reads += 1
            self.answers.wait(60)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadDisk]:
    dead = DeadDisk(tmp_path / "gone")
    dead.folder.mkdir()
    monkeypatch.setattr(worker, "touch", dead.touch)
    monkeypatch.setattr(worker, "FILE_LIMIT_S", 0.1)
    monkeypatch.setattr(worker, "GIVE_UP_S", 600.0)
    monkeypatch.setattr(capture_worker, "FILE_LIMIT_S", 0.1)
    yield dead
    dead.answers.set()


def with_background(file: Path) -> Settings:
    return BASE.replaced_at(["background"], kind="image", path=file)


def with_card(file: Path) -> Settings:
    return BASE.replaced_at(["output"], standby_image=file)


def with_plate(file: Path) -> Settings:
    return BASE.replaced_at(["matting"], plate=file)


def with_weights(file: Path) -> Settings:
    return BASE.replaced_at(["matting"], weights=file)


def with_source(file: Path) -> Settings:
    return BASE.replaced_at(["capture"], source=str(file))


# Others of all kinds, which need no file.
OTHERS = (
    BASE.replaced_at(["background"], colour="#102030")
    .replaced_at(["output"], standby_text="Back at noon")
    .replaced_at(["matting"], downsample_ratio=0.7)
    .replaced_at(["capture"], source="another")
)


def file_of_source(source: str) -> Path | None:
    return Path(source) if Path(source).is_absolute() else None


@pytest.fixture
def film(world: FakeWorld) -> Iterator[Pipeline]:
    """A pipeline whose sources may be files."""
    parts = replace(world.parts(), source_file=file_of_source)
    with live(world, parts=parts) as pipeline:
        yield pipeline
        world.faults.heal()


def is_settled(pipeline: Pipeline) -> bool:
    """Whether the newest settings are in use, with their files or without those that are late."""
    return pipeline.revision_in_use == pipeline.owner.revision and pipeline.pictures_decided


def late_problems(pipeline: Pipeline) -> list[tuple[str, bool]]:
    """Return what each problem says, and whether it is of a call that is late."""
    return [(str(each.message), each.is_late) for each in pipeline.status().problems]


def has_three_problems(pipeline: Pipeline) -> bool:
    return len(problems(pipeline)) == 3


def is_read_once(disk: DeadDisk) -> bool:
    return disk.reads == 1


def problems(pipeline: Pipeline) -> list[str]:
    return [problem.message for problem in pipeline.status().problems]


@pytest.mark.parametrize(
    "choose", [with_background, with_card, with_plate, with_weights, with_source]
)
def test_a_file_that_does_not_answer_is_named_and_what_is_chosen_next_is_used(
    film: Pipeline, disk: DeadDisk, choose: Callable[[Path], Settings]
) -> None:
    """It hung in silence, and nothing of its kind was opened after it."""
    file = disk.folder / "film.png"
    apply(film, choose(file))
    said = [f"{file} does not answer; reconnect its disk, or choose another file."]
    eventually_is(said, problems, film)
    composites(film)  # what was in use goes on

    apply(film, OTHERS)

    eventually(is_settled, film)
    no_longer(problems, film)
    status = film.status()
    assert status.source is not None and status.source.id == "another"
    assert status.engine is not None and status.engine.downsample_ratio == 0.7
    assert not disk.answers.is_set()


@pytest.mark.parametrize(
    "choose", [with_background, with_card, with_plate, with_weights, with_source]
)
def test_a_disk_that_answers_again_is_no_problem_any_more(
    film: Pipeline, disk: DeadDisk, choose: Callable[[Path], Settings], tmp_path: Path
) -> None:
    file = disk.folder / "film.png"
    apply(film, choose(file))
    eventually(reports, film, "does not answer")

    disk.answers.set()

    no_longer(reports, film, "does not answer")


def test_a_background_is_pending_until_its_problem_is_reported(tmp_path: Path) -> None:
    """A run whose background could not be read was taken to have started between the two."""
    context = PipelineContext(SettingsOwner(BASE), FakeWorld().parts(), Timing())
    backdrops = Backdrops(context)
    pending_when_reported: list[bool] = []
    chosen = with_background(tmp_path / "note.txt").background
    failed: Built[BackgroundSettings, Background] = Built(
        chosen,
        None,
        BackgroundError("It is no image."),
    )

    def report(*_: object) -> None:
        pending_when_reported.append(backdrops.pending)

    with patch.object(context.board, "report", report):
        backdrops.builder.outcome = failed
        assert backdrops.pending
        backdrops.update(failed.key)

    assert pending_when_reported == [True]
    assert not backdrops.builder.outcome


def test_a_card_that_cannot_be_read_is_told_again_when_files_are_read_again(
    film: Pipeline,
    tmp_path: Path,
) -> None:
    """It was drawn ahead only after a change: a file that was named anew while the picture ran was confirmed."""
    note = tmp_path / "note.txt"
    note.write_text("no image")
    apply(film, with_card(note))
    eventually(reports, film, str(note))

    film.read_files_again()

    eventually(is_settled, film)
    assert any(str(note) in problem for problem in problems(film))


@pytest.mark.parametrize(
    "choose", [with_background, with_card, with_plate, with_weights, with_source]
)
def test_a_file_is_given_up_and_used_once_its_disk_answers(
    film: Pipeline,
    disk: DeadDisk,
    choose: Callable[[Path], Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else was in use as long as it was waited for."""
    monkeypatch.setattr(worker, "GIVE_UP_S", 0.2)
    file = write(disk.folder / "film.png", flat((1, 2, 3)))
    apply(film, choose(file))

    eventually(is_settled, film)

    # The watchdog ends its report of the late call at its next look.
    given_up = [(str(no_answer(file)), False)]
    eventually_is(given_up, late_problems, film)
    disk.answers.set()
    film.owner.renew()
    no_longer(problems, film)


def test_the_end_waits_for_no_disk(world: FakeWorld, disk: DeadDisk) -> None:
    """It waited for 15 seconds, and the run had failed."""
    file = disk.folder / "film.png"
    everything = with_background(file).replace(
        output=with_card(file).output,
        matting=with_plate(file).matting,
    )
    with live(world) as pipeline:
        apply(pipeline, everything)
        eventually(has_three_problems, pipeline)

    assert not disk.answers.is_set(), "`live` asserts that all threads have ended"


def test_one_thread_waits_for_a_file_however_often_it_is_chosen(disk: DeadDisk) -> None:
    reaching = Reaching()

    answers = {reaching.start(disk.folder / "film.png") for _ in range(20)}

    assert len(answers) == 1
    eventually(is_read_once, disk)
