"""What is refused: each input with its exit code and its one sentence, before anything is loaded or written."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli import main
from tests.clips import write_clip, write_inputs

REFUSED: tuple[tuple[str, int, str], ...] = (
    ("headless --fps abc", 2, "--fps: “abc” is not possible: it must be a number."),
    ("headless --fps 0", 2, "--fps: “0” is not possible: it must be at least 1."),
    ("headless --fps inf", 2, "it must be at most 240"),
    ("headless --size huge", 2, "“huge” is not a size; write it like 1280x720."),
    ("headless --size 99999x1", 2, "--size: “99999” is not possible: it must be at most"),
    ("headless --pan 1", 2, "“1” is not a position"),
    ("headless --place 0,0", 2, "--place"),
    ("headless --seconds 0", 2, "--seconds: “0” is not possible: it must be at least 0.1."),
    ("headless --frames 1.5", 2, "--frames: “1.5” is not possible: it must be a whole number."),
    ("headless --background pics", 2, "There is no background “pics”"),
    ("headless --slide 2", 2, "--slide"),
    ("headless --model gpt", 2, "“gpt” is not possible: it must be one of auto,"),
    ("headless --device gpu", 2, "“gpu” is not possible: it must be auto, cpu,"),
    ("headless --background '#00b14'", 2, "“#00b14” is not a colour; write it like #00b140."),
    ("headless --background red", 2, "There is no background “red”"),
    ("headless --background blur:101", 2, "“101” is not a blur strength; write a number from 0 to 100"),
    ("headless --background blur:x", 2, "“x” is not a blur strength"),
    ("headless --background region:all", 2, "There is no background “region:all”"),
    ("headless --background screen", 2, "There is no background “screen”"),
    ("headless --background https://example.org/room.jpg", 2, "There is no background “https://example.org/room.jpg”"),
    (f"headless --background {'a' * 300}", 2, "There is no background “aaa"),
    ("headless --background ''", 2, "The background is empty"),
    ("headless --pan 2,0", 2, "--pan: “2.0” is not possible: it must be at most 1."),
    ("headless --auto-framing wild", 2, "--auto-framing: “wild” is not possible: it must be one of 'off', 'calm' or"),
    ("headless --record talk.avi", 2, "talk.avi cannot be started: the name of a video must end in .mp4, .m4v, .mov"),
    ("headless --microphone ''", 2, "--microphone: “” is not possible: it is empty."),
    ("headless --overlay logo.png", 2, "--overlay"),
    ("headless --source ''", 2, "A source cannot be empty"),
    ("headless --config missing.json", 2, "There is no settings file missing.json; check --config."),
    ("headless --profile nowhere", 2, "There is no scene “nowhere”"),
    ("headless --zones missing.json", 2, "The zones file missing.json does not exist"),
    ("headless --config note.txt", 2, "The settings file note.txt cannot be used"),
    ("headless --status-json note.txt", 2, "note.txt exists and holds no measurements"),
    ("headless --record x.mp4 --record-alpha x.mp4", 2, "x.mp4 cannot be written: it is also another output"),
    ("headless --source one.mp4 --record one.mp4", 2, "one.mp4 cannot be written: it is also the source"),
    (
        "headless --no-such-option",
        2,
        "There is no option --no-such-option; `python3 run.py headless --help` lists the options.",
    ),
    ("bench --size 0x0", 2, "--size: “0” is not possible: it must be at least"),
    ("headless --strct on", 2, "There is no “--strct”; did you mean --strict?"),
    ("headless --fps", 2, "--fps needs a value"),
    ("headless --verbose=yes", 2, "--verbose takes no value"),
    ("headless now", 2, "“now” is too much; `python3 run.py headless --help` shows what belongs there."),
    ("no-such-command", 2, "There is no command “no-such-command”; `python3 run.py --help` lists the commands."),
    ("devise", 2, "There is no “devise”; did you mean devices?"),
    ("--source demo devices", 2, "Options go after the command: `python3 run.py devices --…`."),
    ("convert", 2, "OUT is missing"),
    ("convert one.mp4", 2, "OUT is missing"),
    ("convert one.mp4 ''", 2, "A name is empty"),
    ("convert '' out.mp4", 2, "A name is empty"),
    ("convert one.mp4 out.mp4 --alpha ''", 2, "A name is empty"),
    *(
        (line, 2, "“-” does not stand for standard input or output")
        for line in (
            "convert one.mp4 -",
            "convert - out.mp4",
            "convert one.mp4 out.mp4 --alpha -",
            "headless --status-json -",
        )
    ),
    ("convert one out.mp4", 2, "out.mp4 is not a folder"),
    ("convert one.mp4 base.avi out.webm", 2, "out.webm is not a folder"),
    ("convert one.mp4 out.mp4 --jobs 1", 2, "out.mp4 is not a folder"),
    ("convert photo.jpg base.avi out.png", 2, "out.png is not a folder"),
    ("convert one out --alpha alpha.mp4", 2, "alpha.mp4 is not a folder"),
    ("convert one out --keep-partial", 2, "--keep-partial is for a single clip"),
    ("convert one.mp4 x.avi", 2, "x.avi is not the name of a video"),
    ("convert photo.jpg x.mp4", 2, "photo.jpg is an image, and x.mp4 is no name of one"),
    ("convert photo.heic out.png", 1, "photo.heic is not a readable image; use a JPEG, PNG"),
    ("convert base.avi one.mp4", 2, "one.mp4 exists already; add --overwrite"),
    ("convert base.avi out.mp4 --alpha one.mp4", 2, "one.mp4 exists already; add --overwrite"),
    ("convert pics pics/", 2, "pics cannot be written: it is also the source"),
    ("convert one.mp4 frames --alpha frames/alpha", 2, "frames/alpha lies in frames, which is also an output"),
    ("convert one.mp4 new.mp4/frames --foreground new.mp4", 2, "new.mp4/frames lies in new.mp4"),
    ("convert one.mp4 pipe.mp4", 2, "pipe.mp4 is a pipe or a device, which is not replaced"),
    ("convert one.mp4 pipe.mp4 --overwrite", 2, "pipe.mp4 is a pipe or a device"),
    ("convert one.mp4 o --jobs 0", 2, "--jobs: “0” is not possible: it must be at least 1."),
    ("convert one.mp4 out.mp4 --background screen:1", 2, "There is no background “screen:1”"),
    ("convert one.mp4 s3x://bucket/films", 2, "s3x://bucket/films is an address of an unknown kind"),
    ("convert note.txt out.mp4", 1, "note.txt is not a readable video"),
    ("convert nested out", 1, "and folders in it are not searched for images or videos; name the folder that"),
    ("convert missing.mp4 new/", 1, "There is no file or folder missing.mp4"),
    (f"convert {'a' * 300} out.mp4", 1, f"mattecam: {'a' * 300} cannot be read: its name is too long; check its name"),
    ("plate --countdown -1", 2, "--countdown: “-1” is not possible: it must be at least 0."),
    ("plate --source one.mp4 --output one.mp4", 2, "one.mp4 cannot be written: it is also the source"),
    (
        "plate --source demo:empty --output photo.jpg",
        2,
        "photo.jpg exists and was not written by `plate`; name another",
    ),
    ("plate --source demo:empty --output note.txt", 2, "note.txt is not the name of an image; name a PNG file"),
    ("plate --source demo:empty --output .", 2, ". is not the name of an image"),
    ("plate --source demo:empty --output away.png", 2, "away.png exists and was not written by `plate`"),
    ("plate --source demo:empty --output new.png", 2, "new.png.json exists and was not written by `plate`"),
    ("plate --source demo:empty --output note.txt/a.png", 1, "note.txt/a.png cannot be written: a part of the path is"),
    ("weights download", 2, "NAME is missing"),
    ("weights download gpt", 2, "There are no weights named gpt"),
    ("weights forget", 2, "There is no command “forget”; `python3 run.py weights --help` lists the commands."),
    ("doctor --nope", 2, "There is no option --nope"),
    ("ctl", 2, "COMMAND is missing"),
    ("ctl dance", 2, "There is no command “dance”"),
    ("ctl pause maybe", 2, "the choices are on, off, toggle"),
    ("ctl framing 99", 2, "framing.zoom: “99” is not possible: it must be at most 4."),
    ("ctl set matting.edges.strict off", 1, "Mattecam is not running"),
    ("ctl framing sun", 2, "framing “sun” is not possible; write whole|calm|close|ZOOM [X,Y]"),
)
"""(words after `run.py`, exit code, part of the sentence)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs, a folder with a folder of videos, an image of another size, and a text."""
    place = tmp_path_factory.mktemp("refused")
    write_inputs(place)
    cv2.imwrite(str(place / "small.png"), np.zeros((8, 8, 3), np.uint8))
    (place / "nested" / "day").mkdir(parents=True)
    write_clip(place / "nested" / "day" / "clip.mp4", 1)
    (place / "note.txt").write_text("text")
    (place / "new.png.json").write_text("{}")
    os.mkfifo(place / "pipe.mp4")
    (place / "away.png").symlink_to(place / "not connected" / "away.png")
    return place


@pytest.mark.parametrize(("words", "code", "sentence"), REFUSED, ids=[words for words, _, _ in REFUSED])
def test_a_wrong_input_gets_one_sentence(
    words: str,
    code: int,
    sentence: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "s3x:" in words:
        pytest.importorskip("fsspec")
    monkeypatch.chdir(folder)
    for build in ("app.offline.convert.build_engine", "app.cli.bench_run.prepare"):
        monkeypatch.setattr(build, lambda *_: pytest.fail("something was loaded"))
    before = sorted(folder.rglob("*"))
    assert main.main(shlex.split(words)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("mattecam: ") and sentence in line
    assert sorted(folder.rglob("*")) == before
