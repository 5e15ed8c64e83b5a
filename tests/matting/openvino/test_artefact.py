"""Converted networks: the stages together equal the network, and damaged artefacts are rebuilt."""

from __future__ import annotations

import errno
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.matting.openvino import artefact_cache
from app.matting.openvino.artefact import CHECKSUMS, INDEX, NetworkSource, compiled, fitted, halved_shapes
from app.matting.openvino.artefact_cache import ArtefactCache
from app.matting.openvino.runtime import core
from models import table
from models.rules import FastFilterWeights, FilterWeights, LearnedFilterWeights, state_names
from tests.matting.networks import BuildEngine, frames

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("model", "refiner", "ratio", "kind"),
    [
        ("rvm-mobilenetv3", "auto", 0.5, LearnedFilterWeights),
        ("rvm-mobilenetv3", "auto", 1.0, None),
        ("mattecam", "auto", 0.5, FastFilterWeights),
        pytest.param("rvm-mobilenetv3", "fast-guided-filter", 0.5, FastFilterWeights, marks=pytest.mark.long),
        pytest.param("u2netp", "auto", 0.5, FastFilterWeights, marks=pytest.mark.long),
    ],
)
def test_converted_networks_give_the_mattes_of_torch(
    model: str,
    refiner: str,
    ratio: float,
    kind: type[FilterWeights] | None,
    weights: dict[str, Path],
    engines: BuildEngine,
) -> None:
    """On a stream, so that what the network remembers counts; with odd sizes of the small frame and of its halves."""
    artefact = artefact_cache.artefacts.load(NetworkSource(model, weights[model], refiner, ratio == 1))
    assert artefact.guided_filter is None if kind is None else isinstance(artefact.guided_filter, kind)
    settings = MattingSettings(
        model=model, weights=weights[model], refiner=refiner, device="cpu", precision="float32", downsample_ratio=ratio
    )
    torch_engine, converted = (
        engines(settings.replace(executor=executor), 150, 106) for executor in ("eager", "openvino")
    )
    *stream, backdrop = frames(150, 106, 5)
    for frame in stream:
        expected, found = (
            engine.step(frame, backdrop, EdgeSettings(strict="off"), want_foreground=True)
            for engine in (torch_engine, converted)
        )
        assert np.ptp(expected.alpha) > 0
        assert np.abs(found.alpha.astype(int) - expected.alpha).max() <= 1
        assert found.foreground is not None and expected.foreground is not None
        assert np.abs(found.foreground.astype(int) - expected.foreground).max() <= 1


def test_the_declared_submodules_run_in_float32_and_the_others_do_not(weights: dict[str, Path]) -> None:
    if "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    artefact = artefact_cache.artefacts.load(NetworkSource("rvm-mobilenetv3", weights["rvm-mobilenetv3"]))
    states = dict(zip(state_names(4)[0], artefact.state_shapes(44, 60), strict=True))
    models, _ = fitted(artefact, {"small": (1, 3, 44, 60), **halved_shapes(44, 60), **states})
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
            ArtefactCache(lambda: tmp_path).load(NetworkSource("rvm-mobilenetv3", weights["rvm-mobilenetv3"]))
    assert not list(tmp_path.iterdir())


def test_a_damaged_artefact_is_converted_again(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"]))
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
            artefact = ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"]))
            assert artefact.states == ((1, 1),)
            assert "converted again" in caplog.text
        (kept / name).unlink()
        ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"]))
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    caplog.clear()
    ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"]))
    assert not caplog.text


def test_where_no_artefact_can_be_kept_it_is_the_same_network(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def operations(folder: Path) -> list[str]:
        (model,) = ArtefactCache(lambda: folder).load(NetworkSource("toy", weights["toy"])).models
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
    assert ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"])).stages
    assert f"cannot be kept in {tmp_path}: the disk is full" in caplog.text
    caplog.clear()


def test_an_artefact_that_another_start_installs_first_is_used(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log said that it cannot be kept, and the network ran from memory."""
    source = NetworkSource("toy", weights["toy"])
    ArtefactCache(lambda: tmp_path / "first").load(source)
    (made,) = (tmp_path / "first").iterdir()
    remove = shutil.rmtree

    def another_installs(folder: Path | str, *words: object, **options: object) -> None:
        remove(folder, *words, **options)  # type: ignore[arg-type]
        if Path(folder) == tmp_path / "cache" / made.name:
            shutil.copytree(made, folder)

    monkeypatch.setattr(shutil, "rmtree", another_installs)
    assert ArtefactCache(lambda: tmp_path / "cache").load(source).stages
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.name]
    assert not caplog.text


def test_shipped_artefacts_are_used_until_one_is_damaged(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, cache, source = tmp_path / "shipped", tmp_path / "cache", NetworkSource("toy", weights["toy"])
    made = ArtefactCache(lambda: tmp_path / "made")
    made.load(source)
    shutil.copytree(made.folder(source), shipped / source.artefact_name())
    ArtefactCache(lambda: cache, lambda model: [shipped]).load(source)
    assert not cache.exists()
    (file,) = shipped.glob("*/core.xml")
    file.write_text("")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        with pytest.raises(ModelError, match="toy needs PyTorch"):
            ArtefactCache(lambda: cache, lambda model: [shipped]).load(source)
    ArtefactCache(lambda: cache, lambda model: [shipped]).load(source)
    monkeypatch.setattr("app.matting.openvino.conversion.convert", None)
    ArtefactCache(lambda: cache, lambda model: [shipped]).load(source)  # converted again once


def test_unreadable_weights_are_a_named_error(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str) -> object:
        raise PermissionError(13, "Permission denied")

    ArtefactCache(lambda: tmp_path).load(NetworkSource("toy", weights["toy"]))  # reads the sources once per process
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"mattecam\.pth cannot be read; check the path"):
        ArtefactCache(lambda: tmp_path).load(NetworkSource("mattecam", weights["mattecam"]))
