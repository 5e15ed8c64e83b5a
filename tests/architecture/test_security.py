"""What the program must never do, checked in the source; docs/security.md gives the reasons."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import calls, calls_of, imports, modules, under

FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "subprocess.getoutput", "tempfile.mktemp", "torch.jit.load"}
MAY_COMPOSITE = {
    "app.matting.light",
    "app.matting.cpu.compositor",
    "app.matting.torch.torch_backend",
}
"""Modules that make mattes: `tests/matting/test_composite_bound.py` and the contract test prove what they show."""
MAY_PICKLE = {"models.checkpoint"}
"""Its reader accepts tensors only; `tests/models/test_checkpoint.py` passes it hostile files."""
NO_PUBLISHED_HASH = {"bgmv2-resnet101", "u2net-human-seg"}
"""The first download is trusted and its hash recorded; weights are parsed as data in any case."""
MAY_DECODE = {
    "av.open": {
        "app.media.animated_webp",
        "app.media.video_input",
        "app.media.video_writer",
        "app.media.recording_writer",
        "app.output.sound.devices",
    },
    "Image.open": {"app.media.animated_webp", "app.media.image_file"},
    "cv2.imdecode": {"app.matting.plate.picture"},
    "simplejpeg.decode_jpeg": {"app.media.jpeg"},
    "cv2.imread": {"app.capture.demo", "app.gui.state.services", "app.matting.choice.preparation"},
}
"""Modules that decode or write media files, by the function they call: each is in the table of docs/security.md."""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((argument.value for argument in call.keywords if argument.arg == name), None)


def is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def test_nothing_runs_text_or_shells() -> None:
    assert not [found for function in FORBIDDEN_CALLS for found in calls_of(function)]
    for name, call in ((module, found) for module in modules() for found in calls(module)):
        assert not is_true(keyword(call, "shell")), f"{name}:{call.lineno}: a shell"
        assert not is_true(keyword(call, "allow_pickle")), f"{name}:{call.lineno}: a pickle"


def test_weights_are_read_as_data() -> None:
    loads = calls_of("torch.load")
    assert loads
    for name, call in loads:
        assert is_true(keyword(call, "weights_only")), f"{name}:{call.lineno}"
    assert {name for name in modules() if imports(name) & {"pickle", "marshal", "shelve", "dill"}} == MAY_PICKLE


@pytest.mark.parametrize("function", MAY_DECODE)
def test_media_files_are_decoded_in_few_places(function: str) -> None:
    assert {name for name, _ in calls_of(function)} <= MAY_DECODE[function]


def test_composites_are_made_in_few_places() -> None:
    of_the_program = {name for name, _ in calls_of("Matte") if under(name, "app") and not under(name, "app.testing")}
    assert of_the_program <= MAY_COMPOSITE


def test_nothing_listens_on_the_network() -> None:
    """The control socket is a file of this user, on Windows a named pipe."""
    families = {ast.unparse(argument) for _, call in calls_of("socket.socket") for argument in call.args[:1]}
    assert families == {"socket.AF_UNIX"}
    servers = {"socketserver", "http.server", "xmlrpc.server", "asyncio"}
    assert not [name for name in modules() if imports(name) & servers]
    assert not calls_of("socket.create_server")


def test_downloads_are_encrypted_and_pinned() -> None:
    from models.table import NETWORKS

    there = [spec.weights for spec in NETWORKS.values() if spec.weights.url is not None]
    assert there and all(str(spec.url).startswith("https://") for spec in there)
    assert {spec.name for spec in there if spec.sha256 is None} == NO_PUBLISHED_HASH
    assert all(len(spec.sha256) == 64 for spec in there if spec.sha256 is not None)
