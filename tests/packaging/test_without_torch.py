"""Packages lack torch: with converted networks the program gives the same results, and says what needs torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.settings import MattingSettings
from app.matting import build_engine
from app.matting.choice import choice, hardware
from app.matting.interface import StepRequest
from app.matting.openvino import conversion
from app.matting.openvino.conversion import ArtefactCache, NetworkSource
from models.table import BUNDLED, BUNDLED_WITH_PLATE, NETWORKS
from models.weights import CONVERTED, int8_file, sha256_of
from tests.clips import demo
from tests.golden.fill import fill
from tests.packaging.conftest import DEMO, run
from tests.paths import ROOT
from tests.stand_ins import always
from tools.convert_networks import convert_all
from tools.packages.release import INCLUDED as RVM

NOT_PREPARED = "from app.matting.choice import preparation as p; p.is_prepared = lambda: True; p.unmeasured = dict"
NEEDS_TORCH = (
    "needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it."
)
pytestmark = [pytest.mark.torch, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of processes that cannot import torch."""
    folder = tmp_path_factory.mktemp("without-torch")
    (folder / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE"))
    }
    own = {
        "PYTHONPATH": str(folder),
        "MATTECAM_DATA_DIR": str(folder / "data"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    return (
        kept
        | own
        | {
            "MATTECAM_CONFIG_DIR": str(folder / "config"),
            "MATTECAM_RUNTIME_DIR": str(folder / "run"),
        }
    )


def program(env: dict[str, str], *words: str, code: int = 0) -> str:
    """Run the program as a person does, but without the preparation for this machine, which takes 20 s."""
    start = f"import sys; {NOT_PREPARED}; from app.cli.main import run_to_exit; sys.exit(run_to_exit(sys.argv[1:]))"
    return run(sys.executable, "-c", start, *words, cwd=ROOT, env=env, code=code)


def test_the_result_is_the_same(blocked: dict[str, str], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), demo(320, 240, [0])[0])
    for precision in ("float32", "int8"):
        for name, env in (("without", blocked), ("with", blocked | {"PYTHONPATH": ""})):
            words = [
                "convert",
                str(tmp_path / "in.png"),
                str(tmp_path / f"{name}.png"),
                "--model",
                "mattecam",
            ]
            program(env, *words, "--background", "green", "--precision", precision, "--overwrite")
        without, usual = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("without", "with"))
        assert without is not None and usual is not None
        np.testing.assert_array_equal(without, usual)


@pytest.mark.parametrize(
    ("words", "subject", "code"),
    [
        (["--device", "cuda"], "cuda", 2),
        (["--executor", "eager"], "eager", 2),
        (["--model", "mattecam", "--weights", "own.safetensors"], "mattecam", 1),
    ],
)
def test_what_needs_it_says_so_in_a_sentence(
    words: list[str], subject: str, code: int, blocked: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(BUNDLED.read_bytes() + b" ")
    words = [str(own) if word == own.name else word for word in words]
    assert f"{subject} {NEEDS_TORCH}" in program(blocked, "headless", *DEMO, *words, code=code)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The converted networks of a release: the bundled ones, and RVM from generated weights that count as published."""
    import torch

    from models.rvm.network import MattingNetwork

    folder = tmp_path_factory.mktemp("package")
    weights = folder / "weights" / NETWORKS[RVM].weights.file
    weights.parent.mkdir()
    torch.save(fill(MattingNetwork().state_dict()), weights)
    with pytest.MonkeyPatch.context() as patch:
        pinned = replace(NETWORKS[RVM].weights, sha256=sha256_of(weights))
        patch.setitem(NETWORKS, RVM, replace(NETWORKS[RVM], weights=pinned))
        convert_all(folder / "converted", weights.parent)
        yield folder / "converted"


@pytest.mark.parametrize("origin", ["release", "sources"])
def test_what_ships_is_found_under_its_name(origin: str, shipped: Path, tmp_path: Path) -> None:
    folder = shipped if origin == "release" else CONVERTED
    cache = ArtefactCache(always(tmp_path / "cache"), folder)
    found = {
        cache.folder(NetworkSource("mattecam", BUNDLED, int8=int8))
        for int8 in (None, int8_file(BUNDLED))
    }
    found.add(cache.folder(NetworkSource("mattecam-plate", BUNDLED_WITH_PLATE)))
    renew = "weights or OpenVINO have changed: run `python -m tools.convert_networks models/converted --bundled`"
    assert found == set(folder.glob("mattecam-*")), renew


@pytest.mark.parametrize(
    ("origin", "model", "precision"),
    [
        *(
            (origin, "mattecam", precision)
            for origin in ("release", "sources")
            for precision in ("float32", "int8")
        ),
        ("release", RVM, "float32"),
    ],
)
def test_what_ships_gives_the_bits_of_one_converted_here(
    origin: str,
    model: str,
    precision: str,
    shipped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those in the sources come from another machine, whose constants may round otherwise."""
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(shipped.parent / "weights"))
    settings = MattingSettings(model=model, device="cpu", executor="openvino", precision=precision)
    given = demo(640, 360, range(5))

    def mattes() -> NDArray[np.int16]:
        engine = build_engine(settings, 640, 360)
        made = [
            engine.step(StepRequest(image, np.zeros_like(image), settings.edges)) for image in given
        ]
        engine.close()
        return np.array([np.dstack([matte.alpha, matte.composite]) for matte in made], np.int16)

    here = mattes()
    folder, largest = (shipped, 0) if origin == "release" else (CONVERTED, 1)
    monkeypatch.setattr(conversion, "artefacts", ArtefactCache(always(tmp_path / "cache"), folder))
    assert np.abs(mattes() - here).max() <= largest
    assert not (tmp_path / "cache").exists(), "nothing was converted"


def test_auto_leaves_out_what_cannot_be_converted(
    blocked: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "on_hand", always(tmp_path))
    monkeypatch.setattr(choice, "check_intact", always(None))
    converted = SimpleNamespace(
        folder=lambda source: tmp_path if source.model == "mattecam" else tmp_path / "none"
    )
    monkeypatch.setattr(conversion, "artefacts", converted)
    for usable, model in ((True, "rvm-mobilenetv3"), (False, "mattecam")):
        monkeypatch.setattr(hardware, "torch_usable", always(usable))
        assert choice.choose_model(MattingSettings(device="cpu")) == model
