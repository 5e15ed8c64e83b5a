"""The virtual camera in Chromium, through getUserMedia."""

from __future__ import annotations

import http.server
import json
import subprocess
import tempfile
import threading
import time
from contextlib import suppress

from app.doctor.proof import colour_bars
from tests.vm.tools import DEVICE, LABEL, expect, load, say, sending

MAX_ERROR = 6
WAIT_S = 600.0
"""The browser takes minutes to start in a virtual machine with little CPU time."""
PAGE = """<!doctype html><video id=v autoplay muted></video><script>
async function look() {
  const stream = await navigator.mediaDevices.getUserMedia({video: true});
  const label = stream.getVideoTracks()[0].label;
  const video = document.getElementById('v');
  video.srcObject = stream;
  await video.play();
  let frames = 0, last = performance.now(), longest = 0;
  const count = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; frames++;
                        video.requestVideoFrameCallback(count); };
  await new Promise(done => setTimeout(done, 1500));
  last = performance.now(); video.requestVideoFrameCallback(count);
  await new Promise(done => setTimeout(done, 4000));
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const bars = [];
  for (let i = 0; i < 8; i++) {
    const left = Math.floor(i * canvas.width / 8), width = Math.floor(canvas.width / 8);
    const data = context.getImageData(left + width / 4, canvas.height / 4, width / 2, canvas.height / 2).data;
    const sum = [0, 0, 0];
    for (let p = 0; p < data.length; p += 4) for (let c = 0; c < 3; c++) sum[c] += data[p + c];
    bars.push(sum.map(x => x / (data.length / 4)));
  }
  return {label, width: video.videoWidth, height: video.videoHeight, fps: frames / 4, longest_ms: longest, bars};
}
look().catch(error => ({error: error.name + ': ' + error.message}))
      .then(seen => fetch('/seen', {method: 'POST', body: JSON.stringify(seen)}));
</script>"""


class _Handler(http.server.BaseHTTPRequestHandler):
    seen: dict[str, object] | None = None
    arrived = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def do_POST(self) -> None:
        type(self).seen = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        type(self).arrived.set()

    def log_message(self, format: str, *args: object) -> None:
        """Suppress log output."""


def look() -> dict[str, object]:
    """Open the page in Chromium and return its result: label, width, height, fps, bars (RGB) or error."""
    _Handler.arrived.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with tempfile.TemporaryDirectory() as profile:
        browser = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream",
             "--autoplay-policy=no-user-gesture-required", "--no-first-run", f"--user-data-dir={profile}",
             f"http://127.0.0.1:{server.server_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            expect(_Handler.arrived.wait(WAIT_S), "Chromium sent no result")
            assert _Handler.seen is not None
            return _Handler.seen
        finally:
            browser.terminate()
            with suppress(subprocess.TimeoutExpired):
                browser.wait(10)
            browser.kill()
            server.shutdown()
            thread.join()
            server.server_close()
            time.sleep(0.5)


def _bars_error(seen: dict[str, object], size: tuple[int, int]) -> float:
    bars = seen["bars"]
    assert isinstance(bars, list)
    wanted = colour_bars(*size)[0, [size[0] * (2 * i + 1) // 16 for i in range(8)], ::-1]
    return max(abs(float(got) - float(want)) for bar, colour in zip(bars, wanted, strict=True)
               for got, want in zip(bar, colour, strict=True))  # fmt: skip


def chromium() -> None:
    """Check label, size and colours in a web page."""
    for size in ((640, 480), (1280, 720)):
        load()
        with sending(f"{size[0]}x{size[1]}"):
            seen = look()
        expect("error" not in seen, f"Chromium reports {seen.get('error')}")
        error = _bars_error(seen, size)
        say(f"label {seen['label']!r}, {seen['width']}x{seen['height']}, {seen['fps']} fps, error {error:.1f} of 255")
        expect(LABEL in str(seen["label"]), "unexpected label")
        expect(error <= MAX_ERROR, "wrong colours")
        expect(min(size) == min(int(str(seen["width"])), int(str(seen["height"]))), "unexpected size")


def chromium_needs_exclusive_caps() -> None:
    """Check that Chromium does not list the camera without exclusive_caps, as the doctor says."""
    load(exclusive=False)
    with sending():
        seen = look()
    say(f"without exclusive_caps Chromium reports {seen.get('error', seen.get('label'))!r}; without a sender:")
    expect("NotFoundError" in str(seen.get("error")), "Chromium lists the camera")
    load()
    seen = look()
    say(f"{seen.get('error', seen.get('label'))!r} ({DEVICE} loaded with exclusive_caps)")


CHECKS = {"chromium": chromium, "chromium-needs-exclusive-caps": chromium_needs_exclusive_caps}
