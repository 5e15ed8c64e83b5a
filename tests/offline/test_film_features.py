"""Films have the features of the live pipeline, bit by bit; in strict mode people are shown from
the first frame on.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.backgrounds import open_background
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings, FramingSettings, MattingSettings, StrictSettings
from app.core.types import BgrImage, Frame, Picture
from app.core.worker import Builder, LatestSlot
from app.effects.zones import Zone
from app.matting import build_engine
from app.matting.interface import MattingEngine
from app.media.encoders import file_encoder
from app.media.image_file import read_image
from app.media.video_input import VideoInput
from app.offline.convert import FilmStep, convert_clip
from app.runtime.backdrops import Backdrops
from app.runtime.capture_worker import DemandWatch
from app.runtime.context import PipelineContext, Timing
from app.runtime.engines import EngineSelector, MatteFrame
from app.runtime.matting_worker import MattingWorker
from app.runtime.status import Phase
from app.settings import Settings, SettingsOwner
from tests.backgrounds.files import write_video
from tests.clips import demo, write_film, write_images
from tests.fakes.world import FakeWorld
from tests.offline.converting import HalfEngine, build_half
from tests.stand_ins import always
from tests.waiting import eventually, no_longer

SIZE = 320, 180
STEP_S = 0.4


def small_people() -> list[BgrImage]:
    """Return frames of the demo person, far away at the right."""
    part = SIZE[0] * 3 // 10, SIZE[1] * 3 // 10
    frames = []
    for image in demo(*SIZE, range(6), 5, motion=0):
        small = cv2.resize(image, part, interpolation=cv2.INTER_AREA)
        frames.append(
            cv2.copyMakeBorder(
                small, SIZE[1] - part[1], 0, SIZE[0] - part[0], 0, cv2.BORDER_REPLICATE
            )
        )
    return [np.ascontiguousarray(frame, np.uint8) for frame in frames]


def selector_of(engine: MattingEngine) -> Mock:
    """Return what always selects one engine, which is used for several films.

    A step that fails ends the thread.
    """
    selector = Mock(EngineSelector, engine=engine, builder=Mock(Builder, pending=False))
    selector.failed.side_effect = AssertionError("a step failed")
    selector.decide.side_effect = lambda frame, settings: MatteFrame(
        engine, settings.framing, frame.generation, frame.index
    )
    return selector


def live(frames: list[BgrImage], settings: Settings, engine: MattingEngine) -> list[Picture]:
    """Return what the inference thread publishes for the frames, one after the other."""
    context = PipelineContext(SettingsOwner(settings), FakeWorld().parts(), Timing())
    slot = LatestSlot[Frame | Phase]()
    published = list[Picture | Phase]()
    backdrops = Backdrops(context)
    demand = DemandWatch(context, ())
    thread = MattingWorker(
        context, slot, selector_of(engine), backdrops, demand, published.append
    ).thread

    def opens_background() -> bool:
        return backdrops.builder.busy

    def has_published(pictures: int) -> bool:
        return len(published) >= pictures or thread.died

    backdrops.builder.start()
    if settings.background.kind != "none":
        backdrops.update(settings.background)
        no_longer(opens_background)
        backdrops.update(settings.background)
    thread.start()
    for index, image in enumerate(frames):
        slot.put(Frame(image, index, index * STEP_S))
        eventually(has_published, index + 1)
    thread.request_stop()
    slot.close()
    assert thread.join(60) and backdrops.builder.stop(60) and thread.error is None
    pictures = [each for each in published if isinstance(each, Picture)]
    assert len(pictures) == len(frames)
    return pictures


def film(
    frames: list[BgrImage], settings: Settings, engine: MattingEngine
) -> list[tuple[BgrImage, BgrImage]]:
    """Return composite and alpha of each frame, as `convert` makes them."""
    engine.reset()
    chosen = settings.background
    background = None if chosen.kind == "none" else open_background(chosen, realtime=False)
    step = FilmStep(engine, background, settings, want_alpha=True, want_foreground=False)
    made = [step(image, index * STEP_S) for index, image in enumerate(frames)]
    if background is not None:
        background.close()
    return [(composite.copy(), alpha.copy()) for composite, alpha in made]


def test_a_film_ends_with_the_background_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the film had a background that stood still, and only the log told."""
    monkeypatch.setattr(VideoInput, "rewind", always(False))  # its drive is gone
    video = write_video(tmp_path / "behind.mp4", frames=9, fps=10)  # more than are decoded ahead
    settings = BackgroundSettings(kind="video", path=video)
    image = np.zeros((48, 64, 3), np.uint8)
    with closing(open_background(settings, realtime=False)) as background:
        step = FilmStep(HalfEngine(), background, Settings(background=settings), False, False)
        step(image, 0.0)
        with pytest.raises(BackgroundError, match=r"behind\.mp4 can no longer be read"):
            for index in range(1, 20):
                step(image, index / 10)


IMAGE = BackgroundSettings(kind="image", path=Path("behind.png"))
PLAIN = Settings(strict=StrictSettings(level="off"), background=IMAGE)
DOOR = Zone(points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)), radius=0, filled=True)
FEATURES = {
    "auto-framing": PLAIN.replace(people=Settings().people.replace(framing="close")),
    "zoom and zones": PLAIN.replace(
        framing=FramingSettings(zoom=1.5, pan_x=0.2),
        people=Settings().people.replace(zones=(DOOR,)),
    ),
    "light": PLAIN.replaced_at(["light"], match=80, portrait=80),
    "background view": PLAIN.replace(background=IMAGE.replace(fit="fit", zoom=1.5, pan_x=0.5)),
    "blur": PLAIN.replace(
        background=BackgroundSettings(kind="blur", blur_strength=40),
        framing=FramingSettings(zoom=1.5),
    ),
    "bokeh": PLAIN.replace(
        background=BackgroundSettings(kind="blur", bokeh=True, blur_strength=40)
    ),
    "no background": PLAIN.replace(
        background=BackgroundSettings(kind="none"),
        framing=FramingSettings(zoom=2),
        people=Settings().people.replace(zones=(DOOR,), framing="close"),
    ),
    "all together": PLAIN.replaced_at(["light"], match=50, portrait=50).replace(
        people=Settings().people.replace(framing="calm", only_me=True, zones=(DOOR,)),
        background=IMAGE.replace(zoom=1.5),
    ),
}


@pytest.mark.long
def test_a_film_has_every_feature_of_the_live_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("behind.png", demo(*SIZE, [40])[0])
    frames = small_people()
    network = MattingSettings(model="mattecam", executor="openvino", precision="float32")
    with closing(build_engine(network, *SIZE)) as engine:
        plain = film(frames, PLAIN, engine)
        for name, settings in FEATURES.items():
            made = film(frames, settings, engine)
            for (composite, alpha), shown in zip(made, live(frames, settings, engine), strict=True):
                np.testing.assert_array_equal(composite, shown.image, err_msg=name)
                if shown.alpha is not None:
                    np.testing.assert_array_equal(alpha, shown.alpha, err_msg=name)
            assert any(
                (first != second).any() for (first, _), (second, _) in zip(made, plain, strict=True)
            ), name


def test_a_network_with_a_plate_gets_the_crop_of_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Mock(side_effect=build_half)
    monkeypatch.setattr("app.offline.convert.build_engine", build)
    zoomed = Settings(background=BackgroundSettings(kind="colour"), framing=FramingSettings(zoom=2))
    convert_clip(write_images(tmp_path / "in", "0.png"), tmp_path / "out", settings=zoomed)

    assert build.call_args.args[-1] == FramingSettings(zoom=2)


STRICT = Settings(
    matting=MattingSettings(model="mattecam"),
    strict=StrictSettings(level="balanced"),
    background=BackgroundSettings(kind="colour", colour="#00ff00"),
)


def shares(source: Path, folder: Path) -> list[float]:
    """Return the share of every frame that the matte shows."""
    convert_clip(source, folder / "out", settings=STRICT, alpha=folder / "alpha")
    return [float((read_image(file) > 127).mean()) for file in sorted((folder / "alpha").iterdir())]


@pytest.mark.parametrize("cuts", [False, True])
def test_no_frame_of_a_film_is_lost_at_its_start_or_after_a_cut(cuts: bool, tmp_path: Path) -> None:
    frames = demo(*SIZE, range(5), empty_scene_s=0)
    if cuts:
        frames = [*frames, *(np.asarray(255 - frame // 3, np.uint8) for frame in frames), *frames]
    found = shares(write_film(tmp_path / "a.mkv", frames, encoder=file_encoder(4)).path, tmp_path)
    people = found[: 5 if cuts else None] + (found[10:] if cuts else [])

    assert min(people) > 0.1
    assert min(people) > 0.9 * max(people)


def test_no_photo_is_lost(tmp_path: Path) -> None:
    (photo,) = demo(*SIZE, [0], empty_scene_s=0)
    (tmp_path / "in").mkdir()
    for number, image in enumerate((photo, photo, cv2.resize(photo, (288, 162)))):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), image)

    assert min(shares(tmp_path / "in", tmp_path)) > 0.1


def test_an_empty_scene_stays_empty(tmp_path: Path) -> None:
    frames = demo(*SIZE, range(4), empty_scene_s=60)
    found = shares(write_film(tmp_path / "a.mkv", frames, encoder=file_encoder(4)).path, tmp_path)

    assert max(found) < 0.01
