"""Which source is recorded: the one that is wanted, or none; with a sound server of its own, and
with a stand-in.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from functools import partial

import av
import numpy as np
import pytest

from app.core.errors import MicrophoneError
from app.output import microphones
from app.output.microphones import (
    MicrophoneName,
    ffmpeg_blocks,
    open_microphone,
    sound_server_blocks,
)
from app.output.sound import BLOCK_S, RATE, Microphone, SoundBlock
from app.system.pulse import SoundServer
from tests.fakes.sound_server import AGE_S, FakeSoundServer
from tests.pipewire_session import PrivateSession
from tests.stand_ins import always
from tests.waiting import eventually

COUNT = round(BLOCK_S * RATE)
MONITOR = "speakers.monitor"


def opened(
    server: FakeSoundServer, name: str, silence_s: float = 60.0
) -> Generator[SoundBlock, None, None]:
    """Record a source of this server."""
    return sound_server_blocks(name, always(server), silence_s)


def error_of(blocks: Generator[SoundBlock, None, None]) -> str:
    """The error that ends the sound, before which no sample may have come."""
    with pytest.raises(MicrophoneError) as raised:
        for block in blocks:
            assert len(block.samples) == 0
    return raised.value.text


def test_the_named_source_is_recorded_with_the_times_of_its_samples() -> None:
    server = FakeSoundServer("built-in", "usb")

    with closing(opened(server, "usb")) as blocks:
        before_s = time.perf_counter()
        block = next(blocks)
        after_s = time.perf_counter()

    assert block.samples.tolist() == [len("usb")] * COUNT
    assert before_s <= block.captured_at_s + BLOCK_S + AGE_S <= after_s
    assert server.streams[0].closed == server.closed == 1


@pytest.mark.parametrize(
    "sources, name, words",
    [
        pytest.param(
            ["built-in", MONITOR], "headset", "The microphone headset cannot be opened", id="absent"
        ),
        pytest.param(
            ["built-in"], "0", "The microphone 0 cannot be opened", id="a number, which changes"
        ),
        pytest.param([MONITOR], "@DEFAULT_MONITOR@", "cannot be opened", id="a word of the server"),
        pytest.param(
            [MONITOR], "default", f"No microphone is connected.*{MONITOR}", id="no microphone"
        ),
        pytest.param([], "default", "The microphone default cannot be opened", id="no source"),
    ],
)
def test_no_other_source_is_recorded_in_place_of_the_wanted_one(
    sources: list[str], name: str, words: str
) -> None:
    server = FakeSoundServer(*sources)

    said = error_of(opened(server, name))

    assert re.search(words, said)
    assert server.streams == [] and server.closed == 1


def test_what_a_loudspeaker_plays_is_recorded_by_its_name() -> None:
    server = FakeSoundServer("usb", MONITOR)

    with closing(opened(server, MONITOR)) as blocks:
        assert next(blocks).samples[0] == len(MONITOR)


def test_the_default_microphone_follows_the_choice_of_the_system(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeSoundServer("built-in", "usb")
    server.events = [always(None), partial(setattr, server, "default_source", "usb")]

    first = [block.samples[0] for block in opened(server, "default")]
    server.closed = 0
    with closing(opened(server, "default")) as blocks:
        second = next(blocks).samples[0]

    assert (first, second) == ([len("built-in")], len("usb"))
    assert "Another microphone" in caplog.text


def test_the_default_microphone_does_not_become_a_loudspeaker() -> None:
    """As after the only headset went: servers then name what the loudspeaker plays."""
    server = FakeSoundServer("headset", MONITOR)

    def headset_goes() -> None:
        del server.sources["headset"]
        server.default_source = MONITOR

    server.events = [always(None), headset_goes]
    assert [block.samples[0] for block in opened(server, "default")] == [len("headset")]
    server.closed = 0
    assert "No microphone is connected" in error_of(opened(server, "default"))


def source_goes(server: FakeSoundServer) -> None:
    del server.sources["usb"]


def server_goes(server: FakeSoundServer) -> None:
    server.is_gone = True


def is_redirected(server: FakeSoundServer) -> None:
    server.streams[0].redirected_to = "built-in"


@pytest.mark.parametrize(
    "event, words",
    [
        pytest.param(source_goes, "usb was disconnected", id="the source goes"),
        pytest.param(server_goes, "usb was disconnected", id="the server goes"),
        pytest.param(
            is_redirected,
            "to built-in in place of the microphone usb",
            id="another program redirects it",
        ),
    ],
)
def test_a_microphone_that_goes_is_not_replaced(
    event: Callable[[FakeSoundServer], None], words: str
) -> None:
    server = FakeSoundServer("built-in", "usb")
    server.events = [always(None), partial(event, server)]
    blocks = opened(server, "usb")
    assert next(blocks).samples[0] == len("usb")

    said = error_of(blocks)

    assert words in said


def test_a_microphone_that_goes_while_it_is_opened_is_not_replaced() -> None:
    server = FakeSoundServer("built-in", "usb")
    server.events = [partial(source_goes, server)]

    assert "usb cannot be opened" in error_of(opened(server, "usb"))


def test_a_microphone_that_sends_nothing_is_reported() -> None:
    server = FakeSoundServer("usb")
    server.is_silent = True

    assert "usb sends nothing" in error_of(opened(server, "usb", silence_s=0.0))


@pytest.mark.parametrize(
    "error, words",
    [
        pytest.param(ConnectionError("refused"), "sound server does not answer", id="no server"),
        pytest.param(OSError("libpulse.so.0"), "libpulse0", id="no library"),
    ],
)
def test_without_a_sound_server_the_remedy_is_named(error: OSError, words: str) -> None:
    def fail() -> SoundServer:
        raise error

    with pytest.raises(MicrophoneError, match=words):
        next(sound_server_blocks("default", fail))
    assert microphones.microphones("linux", fail) == ()


def test_the_list_leaves_out_what_loudspeakers_play() -> None:
    server = FakeSoundServer("usb", MONITOR)

    listed = microphones.microphones("linux", always(server))

    assert [(found.name, found.title) for found in listed] == [("usb", "Title of usb")]
    assert server.closed == 1


def test_no_answer_in_time_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent/socket")
    if shutil.which("pactl") is None:
        pytest.skip("needs libpulse")

    with pytest.raises(ConnectionError):
        SoundServer(timeout_s=0.5)


class Heard:
    """What a microphone that is tried again at once sends and reports."""

    def __init__(self, name: str) -> None:
        self.reports: list[Exception | None] = []
        self.microphone = Microphone(
            open_microphone, always(name), self.reports.append, retry_s=0.05
        )
        self.tones: set[int] = set()

    def hears(self, hertz: int) -> bool:
        """Take what has arrived; whether this tone was heard."""
        samples = [block.samples for block in self.microphone.take()]
        for second in samples:
            if np.abs(second.astype(int)).max() > 3000:
                strengths = np.abs(np.fft.rfft(second, RATE))
                self.tones.add(int(strengths.argmax()))
        return any(abs(tone - hertz) < 60 for tone in self.tones)

    def has_failed(self, words: str) -> bool:
        """Whether the report that stands says this."""
        return words in self.failure

    def is_well(self) -> bool:
        """Whether the last report ended the one before."""
        return self.reports[-1] is None

    @property
    def failure(self) -> str:
        """The report that stands."""
        return "" if not self.reports or self.reports[-1] is None else str(self.reports[-1])


HEADSET_HZ = 440
OTHER_HZ = 1320


@pytest.fixture
def other_source(sound_session: PrivateSession) -> Generator[PrivateSession, None, None]:
    """A sound server whose default source is another one, which plays a tone."""
    module = sound_session.load_sound("module-null-sink", "sink_name=other")
    with sound_session.playing("other", OTHER_HZ):
        yield sound_session
    sound_session.unload_sound(module)


def test_a_microphone_that_goes_and_comes_back_is_silent_meanwhile(
    other_source: PrivateSession,
) -> None:
    """The sound server connected the recording to the other microphone, and never back."""
    with ExitStack() as stack:
        headset = other_source.load_sound("module-null-sink", "sink_name=headset")
        playing = stack.enter_context(ExitStack())
        playing.enter_context(other_source.playing("headset", HEADSET_HZ))
        heard = Heard("headset.monitor")
        stack.enter_context(closing(heard.microphone))
        eventually(heard.hears, HEADSET_HZ)

        playing.close()
        other_source.unload_sound(headset)
        eventually(heard.has_failed, "headset.monitor")
        heard.hears(HEADSET_HZ)
        heard.tones.clear()
        again = other_source.load_sound("module-null-sink", "sink_name=headset")
        stack.callback(other_source.unload_sound, again)
        stack.enter_context(other_source.playing("headset", HEADSET_HZ))
        eventually(heard.hears, HEADSET_HZ)

        assert heard.failure == ""
        assert not any(abs(tone - OTHER_HZ) < 60 for tone in heard.tones)


def test_an_absent_microphone_is_silent_until_it_comes(other_source: PrivateSession) -> None:
    with ExitStack() as stack:
        heard = Heard("headset.monitor")
        stack.enter_context(closing(heard.microphone))
        eventually(heard.has_failed, "headset.monitor cannot be opened")

        stack.callback(
            other_source.unload_sound,
            other_source.load_sound("module-null-sink", "sink_name=headset"),
        )
        stack.enter_context(other_source.playing("headset", HEADSET_HZ))
        eventually(heard.hears, HEADSET_HZ)

        assert heard.failure == ""
        assert not any(abs(tone - OTHER_HZ) < 60 for tone in heard.tones)


def test_a_recording_cannot_be_moved_to_another_source(other_source: PrivateSession) -> None:
    with ExitStack() as stack:
        stack.callback(
            other_source.unload_sound,
            other_source.load_sound("module-null-sink", "sink_name=headset"),
        )
        stack.enter_context(other_source.playing("headset", HEADSET_HZ))
        heard = Heard("headset.monitor")
        stack.enter_context(closing(heard.microphone))
        eventually(heard.hears, HEADSET_HZ)
        (recording,) = other_source.run(
            ["pactl", "list", "short", "source-outputs"]
        ).stdout.splitlines()

        moved = other_source.run(
            ["pactl", "move-source-output", recording.split()[0], "other.monitor"]
        )

        assert moved.returncode != 0
        assert heard.failure == ""


def test_without_a_microphone_the_default_is_silent_until_one_comes(
    other_source: PrivateSession,
) -> None:
    """What the loudspeaker plays was recorded: the other people in a call."""
    with ExitStack() as stack:
        heard = Heard("default")
        stack.enter_context(closing(heard.microphone))
        eventually(heard.has_failed, "No microphone is connected")

        source = other_source.load_sound(
            "module-null-sink", "sink_name=mic", "media.class=Audio/Source/Virtual"
        )
        stack.callback(other_source.unload_sound, source)
        eventually(heard.is_well)

        assert not heard.hears(OTHER_HZ) and heard.tones == set()
        assert [found.name for found in microphones.microphones("linux")] == ["mic"]


def test_an_input_of_ffmpeg_is_resampled_and_its_end_reported() -> None:
    parts = []
    with pytest.raises(MicrophoneError, match="test was disconnected"):
        for block in ffmpeg_blocks(
            "test", "sine=frequency=440:sample_rate=44100:duration=0.5", "lavfi", {}
        ):
            parts.append(block.samples)  # noqa: PERF401 - the end raises
    samples = np.concatenate(parts)

    assert len(samples) == pytest.approx(RATE / 2, abs=RATE / 50)
    assert np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples) == pytest.approx(
        440, abs=4
    )


@pytest.mark.parametrize("device_format", ["no-such-format", "lavfi"])
def test_inputs_that_ffmpeg_lacks_or_cannot_open_are_named(device_format: str) -> None:
    with pytest.raises(MicrophoneError, match="x cannot be opened"):
        next(ffmpeg_blocks("x", "nonsense=1", device_format, {}))


def test_a_microphone_whose_name_begins_alike_is_not_taken_on_macos() -> None:
    def listed(platform: str) -> tuple[MicrophoneName, ...]:
        return (MicrophoneName("USB Headset", "USB Headset"),)

    with pytest.raises(MicrophoneError, match="The microphone USB cannot be opened"):
        open_microphone("USB", "darwin", listed)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_without_its_input_device_ffmpeg_has_no_microphones(platform: str) -> None:
    if {"dshow", "avfoundation"} & av.formats_available:
        pytest.skip("this FFmpeg reads microphones")
    assert microphones.microphones(platform=platform) == ()
    with pytest.raises(MicrophoneError, match="default cannot be opened"):
        next(open_microphone("default", platform))
