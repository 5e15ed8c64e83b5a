"""Converted networks: the stages together equal the network, and damaged artefacts are rebuilt."""

from __future__ import annotations

import errno
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.errors import ModelError
from app.core.threads import Strips
from app.core.types import Floats
from app.matting.cpu.cpu_backend import guided_filter
from app.matting.kernels.network_arrays import halve_rows
from app.matting.openvino import artefact_cache
from app.matting.openvino.artefact import CHECKSUMS, INDEX, Artefact, compiled, fitted, halved_shapes
from app.matting.openvino.artefact_cache import ArtefactCache, shipped_name
from app.matting.openvino.recurrent import decide, unpack
from app.matting.openvino.runtime import core
from app.matting.torch.networks import load_network
from models import table
from models.names import COEFFICIENTS, state_names
from models.rules import FastFilterWeights, FilterWeights, LearnedFilterWeights

pytestmark = pytest.mark.torch

HEIGHT, WIDTH = 44, 60


def random_inputs(artefact: Artefact) -> dict[str, Floats]:
    """Return a small frame, its downsampled versions as the kernels compute them, and states."""
    rng = np.random.default_rng(3)
    arrays = {"small": rng.random((1, 3, HEIGHT, WIDTH), np.float32)}
    larger = arrays["small"]
    for name, shape in halved_shapes(HEIGHT, WIDTH).items():
        arrays[name] = np.full(shape, np.nan, np.float32)
        halve_rows(larger[0], arrays[name][0], 0, shape[2])
        larger = arrays[name]
    before, _ = state_names(len(artefact.states))
    for name, shape in zip(before, artefact.state_shapes(HEIGHT, WIDTH), strict=True):
        arrays[name] = rng.random(shape, np.float32) - np.float32(0.5)
    return arrays


def run(artefact: Artefact, arrays: dict[str, Floats]) -> dict[str, Floats]:
    """Return all outputs of the stages, computed in float32."""
    models, _ = fitted(artefact, {name: array.shape for name, array in arrays.items()})
    networks = compiled(artefact.stages, models, "float32")
    for stage, network in zip(artefact.stages, networks, strict=True):
        outputs = network([arrays[name] for name in stage.reads])
        arrays = arrays | {name: np.array(outputs[index]) for index, name in enumerate(stage.writes)}
    return arrays


def reference(model: str, weights: Path, refiner: str, arrays: dict[str, Floats], direct: bool) -> dict[str, Floats]:
    """Return coefficients and new states of the network in torch."""
    from app.matting.torch.core import Core, DirectCore

    network = load_network(model, weights, refiner, "cpu", "float32")
    before = sorted(name for name in arrays if name.startswith("state"))
    states = [torch.from_numpy(arrays[name]).permute(0, 3, 1, 2) for name in before]
    with torch.inference_mode():
        outputs = (DirectCore if direct else Core)(network)(torch.from_numpy(arrays["small"]), *states)
    slope, offset, coarse, *after = (output.numpy() for output in outputs)
    found = dict(zip(COEFFICIENTS, (slope, offset, coarse), strict=True))
    renamed = zip(before, after, strict=False)  # What was seen and decided is no state of the artefact.
    return found | {name.replace("state", "next"): output.transpose(0, 2, 3, 1) for name, output in renamed}


CASES = {
    "rvm": ("rvm-mobilenetv3", "auto", LearnedFilterWeights),
    "rvm-fast": ("rvm-mobilenetv3", "fast-guided-filter", FastFilterWeights),
    "mattecam": ("mattecam", "auto", FastFilterWeights),
    "u2net": ("u2netp", "auto", FastFilterWeights),
}


@pytest.mark.parametrize(
    ("model", "refiner", "kind"),
    [
        pytest.param(*case, id=name, marks=pytest.mark.long if name in ("rvm-fast", "u2net") else ())
        for name, case in CASES.items()
    ],
)
def test_the_stages_and_the_filter_kernel_are_the_network(
    model: str, refiner: str, kind: type[FilterWeights], weights: dict[str, Path]
) -> None:
    artefact = artefact_cache.artefacts.load(model, weights[model], refiner)
    assert isinstance(artefact.guided_filter, kind)
    assert (artefact.decision is not None) == (model == "mattecam")
    arrays = random_inputs(artefact)
    found = run(artefact, arrays)
    if artefact.alpha_margin is not None:
        found["matte"] = np.full((1, 4, HEIGHT, WIDTH), np.nan, np.float32)
        unpack(found["cells"][0], artefact.alpha_margin, found["matte"][0])
    undecided = found["matte"][:, 3:].copy()
    if artefact.decision is not None:
        decide(found["matte"][0, 3], np.zeros((HEIGHT, WIDTH), np.float32), artefact.decision)
    outputs = tuple(np.full((planes, HEIGHT, WIDTH), np.nan, np.float32) for planes in (4, 4, 1))
    with closing(Strips(1)) as strips:
        guided_filter(strips, artefact.guided_filter, found["matte"][0], arrays["small"][0], outputs)  # type: ignore[arg-type]

    wanted = reference(model, weights[model], refiner, arrays, direct=False)
    if artefact.decision is not None:
        np.testing.assert_allclose(undecided, wanted.pop("coarse"), atol=1e-4)
        outputs = outputs[:2]
    for name, output in zip(COEFFICIENTS, outputs, strict=False):
        np.testing.assert_allclose(output, wanted[name][0], rtol=2e-3, atol=5e-4, err_msg=name)
    for name in state_names(len(artefact.states))[1]:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_direct_network_gives_its_matte_as_the_offset(weights: dict[str, Path]) -> None:
    artefact = artefact_cache.artefacts.load("rvm-mobilenetv3", weights["rvm-mobilenetv3"], direct=True)
    assert artefact.guided_filter is None
    arrays = random_inputs(artefact)
    found, wanted = (
        run(artefact, arrays),
        reference("rvm-mobilenetv3", weights["rvm-mobilenetv3"], "auto", arrays, direct=True),
    )
    for name in (*COEFFICIENTS, *state_names(4)[1]):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_declared_submodules_run_in_float32_and_the_others_do_not(weights: dict[str, Path]) -> None:
    if "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    artefact = artefact_cache.artefacts.load("rvm-mobilenetv3", weights["rvm-mobilenetv3"])
    models, _ = fitted(artefact, {name: array.shape for name, array in random_inputs(artefact).items()})
    kinds: dict[str, list[str]] = {}
    for stage, network in zip(artefact.stages, compiled(artefact.stages, models, "bfloat16"), strict=True):
        about = [operation.get_rt_info() for operation in network.get_runtime_model().get_ops()]
        kinds[stage.name] = [
            str(info["runtimePrecision"].astype(str))
            for info in about
            if info["layerType"].astype(str) == "Convolution"
        ]
    assert set(kinds["encoder"]) == {"f32"}
    assert len(kinds["encoder"]) == 53
    assert set(kinds["decoder"]) == {"bf16"}


def test_a_float32_submodule_that_is_not_exported_so_is_an_error(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("aspp", "backbone.features.99"):
        spec = replace(table.NETWORKS["rvm-mobilenetv3"], float32_modules=(name,))
        monkeypatch.setitem(table.NETWORKS, "rvm-mobilenetv3", spec)
        with pytest.raises(ModelError, match="float32 part"):
            ArtefactCache(lambda: tmp_path).load("rvm-mobilenetv3", weights["rvm-mobilenetv3"])
    assert not list(tmp_path.iterdir())


def test_a_damaged_artefact_is_converted_again(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ArtefactCache(lambda: tmp_path).load("toy", weights["toy"])
    (kept,) = tmp_path.iterdir()
    names = sorted(file.name for file in kept.iterdir())
    assert names == [CHECKSUMS, "core.bin", "core.xml", INDEX]
    for name in names:
        content = (kept / name).read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        for broken in (flipped, content[:middle], b"") if content else (b"more",):
            (kept / name).write_bytes(broken)
            caplog.clear()
            artefact = ArtefactCache(lambda: tmp_path).load("toy", weights["toy"])
            assert artefact.states == ((1, 1),)
            assert "converted again" in caplog.text
        (kept / name).unlink()
        ArtefactCache(lambda: tmp_path).load("toy", weights["toy"])
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    caplog.clear()
    ArtefactCache(lambda: tmp_path).load("toy", weights["toy"])
    assert not caplog.text


def test_where_no_artefact_can_be_kept_it_is_the_same_network(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def operations(folder: Path) -> list[str]:
        (model,) = ArtefactCache(lambda: folder).load("toy", weights["toy"]).models
        return [operation.get_type_name() for operation in model.get_ordered_ops()]

    (tmp_path / "a file").touch()

    assert operations(tmp_path / "a file") == operations(tmp_path / "a folder")
    assert "cannot be kept in" in caplog.text


def test_a_full_disk_is_the_reason_why_no_artefact_is_kept(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason was "None"."""

    def fail(source: object, target: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    assert ArtefactCache(lambda: tmp_path).load("toy", weights["toy"]).stages
    assert f"cannot be kept in {tmp_path}: the disk is full" in caplog.text
    caplog.clear()


def test_shipped_artefacts_are_used_until_one_is_damaged(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, cache = tmp_path / "shipped", tmp_path / "cache"
    made = ArtefactCache(lambda: tmp_path / "made")
    made.load("toy", weights["toy"])
    shutil.copytree(made.folder("toy", weights["toy"]), shipped / shipped_name("toy", weights["toy"]))
    ArtefactCache(lambda: cache, lambda model: [shipped]).load("toy", weights["toy"])
    assert not cache.exists()
    (file,) = shipped.glob("*/core.xml")
    file.write_text("")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        with pytest.raises(ModelError, match=r"toy needs PyTorch.*mattecam\[torch\]"):
            ArtefactCache(lambda: cache, lambda model: [shipped]).load("toy", weights["toy"])
    ArtefactCache(lambda: cache, lambda model: [shipped]).load("toy", weights["toy"])
    monkeypatch.setattr("app.matting.openvino.conversion.convert", None)
    ArtefactCache(lambda: cache, lambda model: [shipped]).load("toy", weights["toy"])  # converted again once


def test_unreadable_weights_are_a_named_error(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str) -> object:
        raise PermissionError(13, "Permission denied")

    ArtefactCache(lambda: tmp_path).load("toy", weights["toy"])  # reads the sources once per process
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"mattecam\.pth cannot be read; check the path"):
        ArtefactCache(lambda: tmp_path).load("mattecam", weights["mattecam"])
