"""The public Python API: streams, saved states, films, and the examples of README.md and docs/api.md."""

from __future__ import annotations

import math
import os
import re
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import mattecam
from app.cli.options import LiveOptions
from app.cli.start import film_settings
from app.core.settings import EngineSettings
from app.core.types import Backdrop
from app.matting.interface import StepRequest
from app.matting.strict.rules import WAIT_FRAMES
from app.settings import Settings
from mattecam import Matte, MattecamError, Matting, ModelError, convert
from mattecam.testing import FakeEngine
from tests.backgrounds.files import colour_number, write_video
from tests.clips import demo, names_in, read_numbers, write_clip
from tests.fresh_python import printed_by
from tests.matting.stubs import frames
from tests.paths import ROOT
from tests.stand_ins import always

GIVEN = frames(160, 96, 6)


def test_the_public_names_are_there() -> None:
    assert {"Matting", "convert", "MattecamError"} <= set(mattecam.__all__)
    assert all(hasattr(mattecam, name) for name in mattecam.__all__)
    assert dir(mattecam) == mattecam.__all__


@pytest.mark.parametrize("is_path", [False, True])
def test_a_stream_gives_matte_and_composite_and_begins_anew_with_reset(
    tmp_path: Path,
    is_path: bool,
) -> None:
    red = tmp_path / "green"  # as a text, the name of a colour
    red.write_bytes(cv2.imencode(".png", np.full((9, 16, 3), (0, 0, 255), np.uint8))[1].tobytes())
    with Matting("mattecam", background=red if is_path else "#ff0000") as matting:
        before = matting.info
        matte = matting.step(GIVEN[0], want_foreground=True)
        info = matting.info
        assert before is None and info is not None and info.model == "mattecam"
        matting.step(GIVEN[1])
        matting.reset()
        np.testing.assert_array_equal(matting.step(GIVEN[0]).alpha, matte.alpha)
    assert matte.alpha.shape == (96, 160) and matte.foreground is not None
    assert (matte.composite[matte.alpha == 0] == (0, 0, 255)).all()


def test_reset_starts_the_video_behind_the_person_anew(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", frames=6, fps=20)
    with Matting("mattecam", background=video, build=FakeEngine) as matting:
        seen = []
        for _ in range(2):
            seen.append(
                [
                    colour_number(matting.step(GIVEN[0], time_s=at_s / 20).composite)
                    for at_s in range(4)
                ]
            )
            matting.reset()
    matting.reset()

    assert seen == [[0, 1, 2, 3]] * 2


def test_a_stream_that_nobody_closes_ends_with_its_thread(tmp_path: Path) -> None:
    """The thread of a video held its decoder and the open file for good."""
    video = write_video(tmp_path / "a.mp4", frames=6, fps=20)
    engine = FakeEngine(Settings().matting, 160, 96)
    before = set(threading.enumerate())
    matting = Matting("mattecam", background=video, build=always(engine))
    matting.step(GIVEN[0])
    matting.reset()
    own = set(threading.enumerate()) - before
    assert own, "a video is read on a thread"

    del matting

    for thread in own:
        thread.join(60)
    assert not any(thread.is_alive() for thread in own)
    engine.close()


def test_window_films_and_python_hide_things_mistaken_for_people_by_one_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Films and Python left strict mode off, and showed a chair in all frames of a clip."""
    films: list[Settings] = []
    monkeypatch.setattr(
        "mattecam._api.convert_clip",
        lambda *_, settings, **__: films.append(settings),
    )

    convert("a.mp4", "b.mp4")
    films.append(film_settings(LiveOptions()).settings)
    with Matting("mattecam", build=FakeEngine) as matting:
        live = matting.strict

    assert live == Settings().strict.level == "balanced"
    assert [settings.strict.level for settings in films] == [live, live]


def test_a_person_is_shown_from_python_in_the_first_frame() -> None:
    """Strict mode shows nobody in the first frames of a scene; a single picture would be empty."""
    (person,) = demo(320, 180, [30])

    with Matting("mattecam") as matting:
        first = matting.step(person).alpha
    with Matting("mattecam", strict="off") as matting:
        without = matting.step(person).alpha

    assert without.mean() > 10
    assert first.mean() > 0.8 * without.mean()


@pytest.mark.parametrize(("strict_mode", "steps"), [(True, 1 + WAIT_FRAMES), (False, 1)])
def test_a_network_of_any_object_sees_each_frame_once(strict_mode: bool, steps: int) -> None:
    stepped: list[StepRequest] = []

    class Engine(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            stepped.append(step)
            return super().matte(step)

    def build(settings: EngineSettings, width: int, height: int) -> Engine:
        engine = Engine(settings, width, height)
        engine.info = replace(engine.info, strict_mode=strict_mode)
        return engine

    with Matting("mattecam", build=build) as matting:
        matting.step(GIVEN[0])

    assert len(stepped) == steps


@pytest.mark.parametrize(("background", "strength"), [("blur", 85), ("bokeh", 85), ("blur:20", 20)])
def test_a_blur_without_a_number_hides_text(
    monkeypatch: pytest.MonkeyPatch,
    background: str,
    strength: float,
) -> None:
    """It was weaker than that of the command line, and text could be read."""
    used: list[Settings] = []
    monkeypatch.setattr(
        "mattecam._api.convert_clip",
        lambda *_, settings, **__: used.append(settings),
    )
    convert("a.mp4", "b.mp4", background=background)
    used.append(film_settings(LiveOptions(), background).settings)
    assert [settings.background.blur_strength for settings in used] == [strength] * 2
    stepped: list[Backdrop] = []

    class Engine(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            stepped.append(step.backdrop)
            return super().matte(step)

    with Matting("mattecam", background=background, build=Engine) as matting:
        matting.step(GIVEN[0])
    assert {getattr(backdrop, "strength", None) for backdrop in stepped} == {strength}


def test_a_closed_stream_stays_closed() -> None:
    unused = Matting("mattecam")
    used = Matting("mattecam")
    used.step(GIVEN[0])
    for matting in unused, used:
        matting.close()
        with pytest.raises(ModelError, match="closed"):
            matting.step(GIVEN[0])


def test_a_stream_is_refused_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork has none of the stream's threads, and waited for them for ever."""
    with Matting("mattecam") as matting:
        matting.step(GIVEN[0])
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", always(0))
            for use in (lambda: matting.step(GIVEN[1]), matting.reset):
                with pytest.raises(ModelError, match="belongs to the process"):
                    use()
        matting.step(GIVEN[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no forks")
@pytest.mark.parametrize("entry", ["Matting", "step", "convert"])
def test_a_fork_of_a_process_that_has_matted_is_told_to_spawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    """It waited for ever, in the middle of the network."""
    clip = write_clip(tmp_path / "a.mp4", 3)
    with Matting("mattecam") as matting:
        matting.step(GIVEN[0])
    before_the_fork = Matting("mattecam")
    use: dict[str, Any] = {
        "Matting": partial(Matting, "mattecam"),
        "step": lambda: before_the_fork.step(GIVEN[0]),
        "convert": partial(convert, clip, tmp_path / "b.mp4", model="mattecam"),
    }

    with monkeypatch.context() as child:
        child.setattr(os, "getpid", always(0))
        with pytest.raises(
            ModelError, match=r'spawn, as with multiprocessing\.get_context\("spawn"\)'
        ):
            use[entry]()
        with Matting("mattecam", build=FakeEngine) as stand_in:  # without threads of its own
            stand_in.step(GIVEN[0])

    before_the_fork.close()
    assert names_in(tmp_path) == ["a.mp4"]


FORKS = """
import multiprocessing, sys
import numpy as np
from mattecam import Matting, ModelError, convert

def matte(index):
    try:
        if sys.argv[2] == "step":
            with Matting("mattecam") as matting:
                return matting.step(np.full((96, 160, 3), 90, np.uint8)).alpha.shape
        return convert(sys.argv[3], f"{sys.argv[3]}.{index}.mp4", model="mattecam").frames
    except ModelError as error:
        return str(error)

if sys.argv[1] == "after":
    matte(0)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map_async(matte, [1]).get(100)[0])
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no forks")
@pytest.mark.parametrize(
    ("when", "entry", "answer"),
    [
        ("after", "step", "This process was forked"),
        ("after", "convert", "This process was forked"),
        ("before", "step", "(96, 160)"),
        ("before", "convert", "3"),
    ],
)
def test_a_pool_of_forks_works_before_the_first_matte_and_is_a_sentence_after_it(
    tmp_path: Path, when: str, entry: str, answer: str
) -> None:
    clip = write_clip(tmp_path / "a.mp4", 3)

    assert printed_by(FORKS, when, entry, str(clip)).startswith(answer)


@pytest.mark.parametrize(
    ("frame", "time_s", "words"),
    [
        *(
            (frame, 0.0, "an image must")
            for frame in (None, [[1]], np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8))
        ),
        *((GIVEN[0], time_s, "time_s") for time_s in (math.inf, math.nan)),
    ],
)
def test_what_is_no_frame_or_time_is_named(frame: Any, time_s: float, words: str) -> None:
    with Matting("mattecam") as matting, pytest.raises((TypeError, ValueError), match=words):
        matting.step(frame, time_s=time_s)


@pytest.mark.parametrize("stem", ["a" * 300, "a\0b"], ids=["long", "nul"])
def test_a_name_that_no_file_can_have_is_a_sentence(stem: str, tmp_path: Path) -> None:
    """It was a raw OSError or ValueError."""
    image = tmp_path / "a.png"
    target = tmp_path / "b.png"
    assert cv2.imwrite(str(image), GIVEN[0])
    for name in (stem, f"{stem}.png", f"{stem}.mp4"):
        for wrong in ("source", "target", "alpha", "foreground"):
            files: dict[str, Any] = {"source": image, "target": target, wrong: name}
            with pytest.raises(MattecamError):
                convert(**files)
    for options in (
        *({"background": f"{stem}.{suffix}"} for suffix in ("png", "mp4", "pdf")),
        {"weights": f"{stem}.pth"},
        {"model": "mattecam-plate", "plate": f"{stem}.png"},
    ):
        with pytest.raises(MattecamError), Matting(**options) as matting:  # type: ignore[arg-type]
            matting.step(GIVEN[0])
    assert list(tmp_path.iterdir()) == [image]


@pytest.mark.parametrize("name", ["capture.fps", "output.mirror", "paused", "window.theme"])
def test_settings_without_effect_are_refused(name: str) -> None:
    with pytest.raises(MattecamError, match=f"{name} has no effect here"):
        Matting(settings={name: 5})
    with pytest.raises(MattecamError, match=f"{name} has no effect here"):
        convert("a.mp4", "b.mp4", settings={name: 5})
    with pytest.raises(MattecamError, match="has no effect here"):
        Matting(settings={"capture.rotate": 90})


def test_a_picture_of_the_empty_room_that_is_missing_is_named() -> None:
    with pytest.raises(MattecamError, match="There is no picture of the empty room"):
        Matting("mattecam", plate="nope.png")


@pytest.mark.parametrize("width", [16, 17, 20, 23, 24, 40])
def test_the_narrowest_frames_are_matted(width: int) -> None:
    """Of 16 to 23 columns each frame ended with a division by zero."""
    with Matting("mattecam", device="cpu") as matting:
        assert matting.step(np.zeros((32, width, 3), np.uint8)).alpha.shape == (32, width)


@pytest.mark.parametrize("use", ["source", "target", "alpha", "matte"])
def test_an_address_is_no_file(use: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames lay in a folder called `s3:`."""
    monkeypatch.chdir(tmp_path)
    write_clip(Path("a.mp4"), 2)
    names: dict[str, Any] = {"source": "a.mp4", "target": "frames", use: "s3://films/frames"}

    with pytest.raises(MattecamError, match="s3://films/frames is an address"):
        convert(**names, model="mattecam")

    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_settings_of_a_film_are_values_by_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They needed a class of a private module."""
    used: list[Settings] = []
    monkeypatch.setattr(
        "mattecam._api.convert_clip",
        lambda *_, settings, **__: used.append(settings),
    )
    values = {"framing.zoom": 2, "strict.level": "off", "people.only_me": "on"}
    convert("a.mp4", "b.mp4", model="u2net", background="blur:60", settings=values)
    matting = {"model": "u2net"}
    background = {"blur_strength": 60}
    others = {"framing": {"zoom": 2}, "strict": {"level": "off"}, "people": {"only_me": True}}

    assert used == [
        Settings.model_validate({"matting": matting, "background": background, **others})
    ]


film = partial(convert, source="a.mp4", target="b.mp4")


@pytest.mark.parametrize(
    ("call", "wrong", "kind", "words"),
    [
        (
            film,
            {"settings": {"zoom": 2}},
            MattecamError,
            "There is no setting “zoom”; docs/settings.md lists them.",
        ),
        (
            film,
            {"settings": {"framing.zoom": 9}},
            MattecamError,
            "framing.zoom: “9” .* must be at most 4.",
        ),
        (film, {"settings": ["framing.zoom"]}, TypeError, "settings must be a mapping, not list"),
        (film, {"rotate": 45}, MattecamError, r"capture\.rotate.*45"),
        # It stood for the current folder, which was filled with PNG images.
        (film, {"target": ""}, MattecamError, "does not stand for a file"),
        (Matting, {"edges": None}, TypeError, "edges"),
        (Matting, {"background": 5}, TypeError, "background"),
        (Matting, {"model": "none-such"}, MattecamError, "."),
        (Matting, {"background": "none"}, MattecamError, "."),
        (Matting, {"background": "#12"}, MattecamError, "."),
        (Matting, {"device": "tpu"}, MattecamError, "."),
    ],
)
def test_a_wrong_argument_is_named(
    call: Any,
    wrong: dict[str, Any],
    kind: type[Exception],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words):
        call(**wrong)


def test_a_film_is_turned_by_arguments(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), GIVEN[0])
    convert(
        tmp_path / "in.png",
        tmp_path / "out.png",
        model="mattecam",
        background="none",
        rotate=270,
        flip=True,
    )
    turned = np.rot90(GIVEN[0])[:, ::-1]

    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out.png")), turned)


PAGES = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/api.md"))
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGES.replace("range(30)", "range(3)"), re.DOTALL)
assert len(EXAMPLES) == 4


@pytest.mark.parametrize("example", EXAMPLES, ids=map(str, range(4)))
def test_the_example_runs(
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_clip(tmp_path / "talk.mp4", 4, audio="aac")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "example", "exec"), {"__name__": "__main__"})
    if "convert(" in example:
        assert capsys.readouterr().out.startswith("4 True")
        assert len(read_numbers(tmp_path / "talk-alpha.mp4")) == 4
