"""A private PipeWire with WirePlumber and D-Bus, without a display, sound or cameras; nothing of the user's is used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.paths import ROOT
from tests.waiting import accepts, beside, eventually

PROGRAMS = ("pipewire", "wireplumber", "dbus-daemon", "pw-dump", "pw-cli")
SOUND_PROGRAMS = ("pipewire-pulse", "pactl", "pacat")
BUS_CONFIGURATION = """<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>"""
"""A bus that starts no service of the machine by itself, such as its portals."""
SOUND_RATE = 48_000
NEEDS_GSTREAMER = "needs gstreamer1.0-tools, gstreamer1.0-plugins-base and gstreamer1.0-pipewire"


def has_gstreamer() -> bool:
    """Whether GStreamer can read PipeWire cameras."""
    if shutil.which("gst-inspect-1.0") is None:
        return False
    return all(
        subprocess.run(["gst-inspect-1.0", element], capture_output=True, check=False).returncode
        == 0
        for element in ("pipewiresrc", "videoconvert")
    )


@contextmanager
def private_session() -> Iterator[PrivateSession]:
    """Run a session; skip the test where it cannot be started."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(
            f"needs the packages pipewire, pipewire-bin, wireplumber and dbus ({', '.join(missing)} missing)"
        )
    session = PrivateSession()
    try:
        session.start()
        yield session
    finally:
        session.stop()


def _feed(player: subprocess.Popen[bytes], samples: bytes) -> None:
    assert player.stdin is not None
    with suppress(OSError):  # it has ended
        while True:
            player.stdin.write(samples)


class PrivateSession:
    """The daemons and the environment in which programs find them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mattecam-pw-"))
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.folder),
            "PIPEWIRE_RUNTIME_DIR": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start D-Bus, PipeWire and WirePlumber."""
        bus = f"unix:path={self.folder}/bus"
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus
        (self.folder / "bus.conf").write_text(BUS_CONFIGURATION.format(address=bus))
        self.launch(
            "dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--nopidfile"
        )
        self._await(lambda: accepts(self.folder / "bus"), "D-Bus")
        self.start_pipewire()

    def start_pipewire(self) -> None:
        """Start PipeWire and WirePlumber."""
        self.launch("pipewire")
        self._await(lambda: accepts(self.folder / "pipewire-0"), "PipeWire")
        self.launch("wireplumber")
        self._await(
            lambda: "WirePlumber" in self.run(["pw-cli", "ls", "Client"]).stdout, "WirePlumber"
        )

    def start_sound(self) -> None:
        """Start the sound server; skip the test where it cannot be started."""
        missing = [program for program in SOUND_PROGRAMS if shutil.which(program) is None]
        if missing:
            pytest.skip(
                f"needs the packages pipewire-pulse and pulseaudio-utils ({', '.join(missing)} missing)"
            )
        socket = self.folder / "pulse" / "native"
        self.environment["PULSE_SERVER"] = f"unix:{socket}"
        self.launch("pipewire-pulse")
        self._await(lambda: accepts(socket), "pipewire-pulse")

    def load_sound(self, module: str, *arguments: str) -> str:
        """Load a module of the sound server, such as a source, and return its number for `unload_sound`."""
        done = self.run(["pactl", "load-module", module, *arguments])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def unload_sound(self, number: str) -> None:
        """Take away what a module gave."""
        done = self.run(["pactl", "unload-module", number])
        assert done.returncode == 0, done.stderr

    @contextmanager
    def playing(self, sink: str, hertz: int) -> Iterator[None]:
        """Play a tone to a sink inside the context."""
        times_s = np.arange(SOUND_RATE) / SOUND_RATE
        second = np.rint(9000 * np.sin(2 * np.pi * hertz * times_s)).astype("<i2").tobytes()
        command = [
            "pacat",
            "--raw",
            f"--rate={SOUND_RATE}",
            "--channels=1",
            "--format=s16le",
            f"--device={sink}",
        ]
        command.append("--latency-msec=50")
        # Without a buffer: one that is not empty is written to the killed player at the end, and fails.
        with subprocess.Popen(
            command, env=self.environment, stdin=subprocess.PIPE, bufsize=0
        ) as player:
            feeder = beside(partial(_feed, player, second))
            try:
                yield
            finally:
                player.kill()
                player.wait(60)
                feeder.result(60)

    def kill_pipewire(self) -> None:
        """Kill both with SIGKILL."""
        for name in ("pipewire", "wireplumber"):
            self.end(name, signal.SIGKILL)
        (self.folder / "pipewire-0").unlink(missing_ok=True)

    def stop(self) -> None:
        """End every process and remove the folder."""
        for name in reversed(list(self._processes)):
            self.end(name, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def launch(self, *command: str) -> None:
        """Start a daemon of the session, known by its name."""
        with (self.folder / f"{Path(command[0]).name}.log").open("ab") as log:
            self._processes[command[0]] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def nodes(self, name: str = "mattecam") -> list[dict[str, Any]]:
        """Return what PipeWire tells other programs of the nodes with this name."""
        infos = [
            one.get("info") or {}
            for one in self._objects()
            if one.get("type", "").endswith(":Node")
        ]
        return [info for info in infos if (info.get("props") or {}).get("node.name") == name]

    def _objects(self) -> list[dict[str, Any]]:
        """Return what `pw-dump` prints: a list, and a further one where an object has gone meanwhile."""
        text = self.run(["pw-dump"]).stdout.lstrip()
        objects: list[dict[str, Any]] = []
        while text:
            found, end = json.JSONDecoder().raw_decode(text)
            objects += found
            text = text[end:].lstrip()
        return objects

    @contextmanager
    def reader(self) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
        """Run another program that reads the camera; gives it, once it reads, and what it prints of each frame."""
        lines: list[str] = []
        command = [sys.executable, "-m", "tests.pipewire_reader"]
        with subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            beside(partial(lines.extend, process.stdout))
            try:
                eventually(lambda: bool(lines))
                yield process, lines
            finally:
                process.kill()

    def run(
        self, command: Sequence[str], timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the session to its end."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout_s
        )

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a daemon of the session."""
        self._processes[name].send_signal(number)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon of the session."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)

    def _await(self, condition: Any, what: str) -> None:
        deadline_s = time.monotonic() + 10
        while not condition():
            if time.monotonic() > deadline_s:
                pytest.skip(f"{what} does not start on this machine")
            time.sleep(0.02)
