"""Converted networks: the stages together equal the network, damaged artefacts are rebuilt, and int8 where it pays."""

from __future__ import annotations

import errno
import platform
import shutil
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.threads import Strips
from app.core.types import BgrImage, Floats
from app.matting import build_engine
from app.matting.choice import hardware
from app.matting.choice.choice import choose
from app.matting.interface import StepGeometry, StepRequest
from app.matting.openvino import conversion
from app.matting.openvino.conversion import (
    INDEX,
    Artefact,
    ArtefactCache,
    NetworkSource,
    compiled,
    convert_network,
    core,
    fitted,
    halved_shapes,
)
from app.matting.openvino.openvino_backend import RecurrentNetwork
from models.exchange import FastFilterWeights, FilterWeights, LearnedFilterWeights, state_names
from models.mattecam.bundled import load
from models.rvm.network import MattingNetwork
from models.table import BUNDLED, NETWORKS
from models.weights import CONVERTED, SIMILAR, SOURCE, find_int8, int8_file, sha256_of
from tests.clips import demo
from tests.fakes.world import Hold
from tests.fresh_python import printed_by
from tests.matting.stubs import BuildEngine, frames, small_of
from tests.stand_ins import always
from tests.waiting import beside
from training.calibration import calibrate, run_rvm
from training.rvm_int8 import LAYERS, ExportedNetwork, in_int8, scales_of

pytestmark = pytest.mark.torch

RVM = NETWORKS["rvm-mobilenetv3"]
NAME = RVM.name


@pytest.mark.parametrize(
    ("model", "refiner", "ratio", "kind"),
    [
        ("rvm-mobilenetv3", "auto", 0.5, LearnedFilterWeights),
        ("rvm-mobilenetv3", "auto", 1.0, None),
        ("mattecam", "auto", 0.5, FastFilterWeights),
        pytest.param(
            "rvm-mobilenetv3", "fast-guided-filter", 0.5, FastFilterWeights, marks=pytest.mark.long
        ),
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
    """In a room that becomes dark: what it remembers counts. The small frame and its halves have odd sizes."""
    artefact = conversion.artefacts.load(NetworkSource(model, weights[model], refiner, ratio == 1))
    assert (
        artefact.guided_filter is None if kind is None else isinstance(artefact.guided_filter, kind)
    )
    settings = MattingSettings(
        model=model,
        weights=weights[model],
        refiner=refiner,
        device="cpu",
        precision="float32",
        downsample_ratio=ratio,
    )
    torch_engine, converted = (
        engines(settings.replace(executor=executor), 150, 106) for executor in ("eager", "openvino")
    )
    one, other, third, fourth, backdrop = frames(150, 106, 5)
    for frame in (one, other, third // np.uint8(4), fourth // np.uint8(4)):
        expected, found = (
            engine.step(StepRequest(frame, backdrop, EdgeSettings(), "off", want_foreground=True))
            for engine in (torch_engine, converted)
        )
        assert np.ptp(expected.alpha) > 0
        assert np.abs(found.alpha.astype(int) - expected.alpha).max() <= 1
        assert found.foreground is not None and expected.foreground is not None
        assert np.abs(found.foreground.astype(int) - expected.foreground).max() <= 1


def precisions_of(artefact: Artefact, width: int, height: int, precision: str) -> list[list[str]]:
    """Return the precisions in which the convolutions of each stage of RVM run, for a size of the small frame."""
    states = dict(zip(state_names(4)[0], artefact.state_shapes(height, width), strict=True))
    models, _ = fitted(
        artefact, {"small": (1, 3, height, width), **halved_shapes(height, width), **states}
    )
    found = []
    for network in compiled(artefact.stages, models, precision):
        about = [operation.get_rt_info() for operation in network.get_runtime_model().get_ops()]
        convolutions = [info for info in about if info["layerType"].astype(str) == "Convolution"]
        found.append([str(info["runtimePrecision"].astype(str)) for info in convolutions])
    return found


def test_the_declared_submodules_run_in_float32_and_the_others_do_not(
    weights: dict[str, Path],
) -> None:
    if "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    artefact = conversion.artefacts.load(NetworkSource(NAME, weights[NAME]))
    encoder, decoder = precisions_of(artefact, 60, 44, "bfloat16")

    assert encoder == ["f32"] * 53
    assert set(decoder) == {"bf16"}


@pytest.mark.parametrize("name", ["core.bin", "core.xml", INDEX])
def test_an_artefact_that_cannot_be_read_is_converted_again(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    source = NetworkSource("toy", weights["toy"])
    ArtefactCache(always(tmp_path)).load(source)
    (kept,) = tmp_path.iterdir()
    assert sorted(file.name for file in kept.iterdir()) == ["core.bin", "core.xml", INDEX]
    content = (kept / name).read_bytes()
    if content:
        (kept / name).write_bytes(content[: len(content) // 2])
    else:
        (kept / name).unlink()
    assert ArtefactCache(always(tmp_path)).load(source).states == ((1, 1),)
    assert "converted again" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    caplog.clear()
    ArtefactCache(always(tmp_path)).load(source)
    assert not caplog.text


def test_of_two_programs_one_converts_a_network_and_the_other_reads_it(
    weights: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both did, and the second could not keep it: the folder was there."""
    source = NetworkSource("toy", weights["toy"])
    converting = Hold()
    converted: list[Path] = []

    def convert_slowly(source: NetworkSource, folder: Path) -> None:
        converted.append(folder)
        converting()
        convert_network(source, folder)

    monkeypatch.setattr(conversion, "convert_network", convert_slowly)
    first = beside(lambda: ArtefactCache(lambda: tmp_path).load(source))
    assert converting.entered.wait(60)
    second = beside(lambda: ArtefactCache(lambda: tmp_path).load(source))
    converting.go_on.set()

    assert first.result(60).states == second.result(60).states
    assert len(converted) == 1
    assert not caplog.text
    assert len(list(tmp_path.iterdir())) == 1


def test_what_another_program_has_put_there_is_used_where_nothing_can_be_locked(
    weights: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = NetworkSource("toy", weights["toy"])
    cache = ArtefactCache(always(tmp_path / "cache"))
    ArtefactCache(always(tmp_path / "other")).load(source)

    def put(folder: Path, *, ignore_errors: bool) -> None:
        assert ignore_errors
        shutil.copytree(tmp_path / "other" / folder.name, folder)

    # The cache calls it before it puts its own there.
    monkeypatch.setattr(conversion, "shutil", Mock(rmtree=put))

    with monkeypatch.context() as patched:
        patched.setattr("fcntl.flock", Mock(side_effect=OSError(95, "Operation not supported")))
        assert cache.load(source).states == ((1, 1),)

    assert not caplog.text


def test_where_no_artefact_can_be_kept_it_is_the_same_network(
    weights: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason in the log was "None"."""

    def operations(folder: Path) -> list[str]:
        (model,) = ArtefactCache(always(folder)).load(NetworkSource("toy", weights["toy"])).models
        return [operation.get_type_name() for operation in model.get_ordered_ops()]

    def fail(source: NetworkSource, folder: Path) -> None:
        if folder.is_relative_to(tmp_path / "cache"):
            raise OSError(errno.ENOSPC, "No space left on device")
        convert_network(source, folder)

    kept = operations(tmp_path / "kept")
    monkeypatch.setattr(conversion, "convert_network", fail)
    assert operations(tmp_path / "cache") == kept
    assert f"cannot be kept in {tmp_path / 'cache'}: the disk is full" in caplog.text
    caplog.clear()


def test_shipped_artefacts_are_used_until_one_is_damaged(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    cache = tmp_path / "cache"
    source = NetworkSource("toy", weights["toy"])
    made = ArtefactCache(always(tmp_path / "made"))
    made.load(source)
    shutil.copytree(made.folder(source), shipped / source.artefact_name())
    ArtefactCache(always(cache), shipped).load(source)
    assert not cache.exists()
    (file,) = shipped.glob("*/core.xml")
    file.write_text("")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        with pytest.raises(ModelError, match="toy needs PyTorch"):
            ArtefactCache(always(cache), shipped).load(source)
    ArtefactCache(always(cache), shipped).load(source)
    monkeypatch.setattr("app.matting.openvino.conversion.convert_network", None)
    ArtefactCache(always(cache), shipped).load(source)  # converted again once


def test_unreadable_weights_are_a_named_error(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str) -> object:
        raise PermissionError(13, "Permission denied")

    ArtefactCache(always(tmp_path)).load(
        NetworkSource("toy", weights["toy"])
    )  # reads the sources once per process
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"mattecam\.pth cannot be read; check the path"):
        ArtefactCache(always(tmp_path)).load(NetworkSource("mattecam", weights["mattecam"]))


def alphas(settings: MattingSettings, stream: list[BgrImage]) -> Floats:
    """Return the alphas of the frames, in 0..1."""
    height, width = stream[0].shape[:2]
    with closing(build_engine(settings, width, height)) as engine:
        assert engine.info.precision == settings.precision
        steps = [
            engine.step(StepRequest(frame, np.zeros_like(frame), EdgeSettings(), "off"))
            for frame in stream
        ]
    return np.stack([step.alpha for step in steps]).astype(np.float32) / np.float32(255)


BUNDLED_MODEL = MattingSettings(model="mattecam", device="cpu", downsample_ratio=1.0)
PERSON = demo(320, 180, range(0, 18, 3))


@torch.no_grad()
def test_the_bundled_network_in_int8_is_its_simulation_and_close_to_float32() -> None:
    reference, quantized = (
        alphas(BUNDLED_MODEL.replace(precision=name), PERSON) for name in ("float32", "int8")
    )
    assert np.ptp(reference) > 0.9
    assert 0 < np.abs(reference - quantized).mean() < 0.005, "0 is float32 under another name"
    network = load(int8_file(BUNDLED))
    state: tuple[torch.Tensor, ...] = network.initial_state(1, 180, 320)
    expected = []
    for frame in PERSON:
        image = torch.from_numpy(small_of(frame))[None]
        _, alpha, *rest = network(image, *state)
        state = tuple(rest)
        expected.append(alpha[0, 0].numpy())
    assert np.abs(np.stack(expected) - quantized).mean() < 0.005


def test_before_a_measurement_the_processors_instructions_select_the_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for bfloat16, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "cpu_has_bfloat16", always(bfloat16))
        choice = choose(BUNDLED_MODEL)
        assert (choice.target.precision, choice.weights, choice.int8) == (precision, BUNDLED, None)


WIDTH = 128
HEIGHT = 96


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Return a moving picture, (1, T, 3, H, W) RGB in 0..1."""
    return torch.from_numpy(np.stack([small_of(frame) for frame in frames(WIDTH, HEIGHT, 5)]))[None]


@pytest.fixture(scope="module")
def networks(
    weights: dict[str, Path], pictures: torch.Tensor, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ExportedNetwork]:
    """Return generated weights with an int8 version beside them, and its simulation."""
    path = Path(shutil.copy(weights[NAME], tmp_path_factory.mktemp("rvm")))
    torch.manual_seed(0)
    network = MattingNetwork().eval()
    network.load_state_dict(torch.load(path, weights_only=True))
    int8 = in_int8(network)
    calibrate(int8, iter([pictures]), partial(run_rvm, int8))
    save_file(scales_of(int8), int8_file(path), {SOURCE: sha256_of(path)})
    return path, int8


def settings_for(path: Path, precision: str) -> MattingSettings:
    return MattingSettings(
        model=NAME, weights=path, device="cpu", precision=precision, downsample_ratio=1.0
    )


def int8_artefact(path: Path) -> Artefact:
    return conversion.artefacts.load(NetworkSource(NAME, path, int8=int8_file(path)))


@pytest.mark.long
@torch.no_grad()
def test_openvino_computes_what_the_simulation_of_rvm_computes(
    networks: tuple[Path, ExportedNetwork], pictures: torch.Tensor
) -> None:
    path, int8 = networks
    r1, r2, r3, r4 = int8.initial_state(1, HEIGHT, WIDTH)
    with closing(Strips(1)) as strips:
        network = RecurrentNetwork(
            int8_artefact(path), StepGeometry(WIDTH, HEIGHT, 1.0), "int8", strips
        )
        for frame in pictures.unbind(1):
            network.small[:] = frame[0].numpy()
            network.run()
            _, _, _, r1, r2, r3, r4 = int8.coefficients(frame, r1, r2, r3, r4)
            for (name, found), wanted in zip(
                network.memory.arrays.items(), (r1, r2, r3, r4), strict=True
            ):
                error = float(np.abs(found.transpose(0, 3, 1, 2) - wanted.numpy()).mean())
                assert error < 0.02 * float(wanted.std()), name
        network.close()


@pytest.mark.long
def test_the_convolutions_run_in_int8(networks: tuple[Path, ExportedNetwork]) -> None:
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("OpenVINO chooses other kernels for this kind of processor")
    kinds = [
        kind
        for stage in precisions_of(int8_artefact(networks[0]), WIDTH, HEIGHT, "int8")
        for kind in stage
    ]

    assert sum(kind in ("u8", "i8") for kind in kinds) == len(LAYERS)
    assert set(kinds) <= {"u8", "i8", "f32"}


def test_scales_that_do_not_fit_are_a_named_error(
    networks: tuple[Path, ExportedNetwork], tmp_path: Path
) -> None:
    path = Path(shutil.copy(networks[0], tmp_path))
    tensors = load_file(int8_file(networks[0]))
    without = {name: tensor for name, tensor in tensors.items() if name != f"{LAYERS[0]}.limits"}
    unknown = {name.replace("decoder", "nowhere"): tensor for name, tensor in tensors.items()}
    four_bit = {**tensors, f"{LAYERS[0]}.limits": torch.tensor([0, 15], dtype=torch.int32)}
    for changed in (without, unknown, four_bit):
        save_file(changed, int8_file(path), {SOURCE: sha256_of(path)})
        with pytest.raises(ModelError, match="no int8 version"):
            build_engine(settings_for(path, "int8"), WIDTH, HEIGHT)


def test_only_openvino_and_weights_that_an_int8_version_fits_run_in_int8(
    weights: dict[str, Path], tmp_path: Path
) -> None:
    bundled = Path(shutil.copy(BUNDLED, tmp_path))
    for settings in (
        BUNDLED_MODEL.replace(weights=bundled),
        BUNDLED_MODEL.replace(executor="eager"),
    ):
        with pytest.raises(ModelError, match="no int8 version"):
            choose(settings.replace(precision="int8"))
    path = Path(shutil.copy(weights[NAME], tmp_path))
    save_file(
        {"scale": torch.ones(1)}, int8_file(path), {SOURCE: "0" * 64, SIMILAR: sha256_of(path)}
    )

    assert choose(settings_for(path, "int8")).int8 == int8_file(path), "it fits these as well"


def test_the_shipped_scales_fit_the_published_weights_and_their_network_and_contain_no_weights(
    weights: dict[str, Path], tmp_path: Path
) -> None:
    assert RVM.int8 is not None
    with safe_open(RVM.int8, framework="pt") as opened:
        metadata = opened.metadata()
    assert RVM.weights.sha256 in (metadata[SOURCE], metadata.get(SIMILAR))
    tensors = load_file(RVM.int8)
    assert {name.rpartition(".")[0] for name in tensors} == set(LAYERS)
    assert all(tensor.numel() <= 2 for tensor in tensors.values())
    assert RVM.int8.stat().st_size < 10_000
    other = tmp_path / "rvm_mobilenetv3.pth"
    other.write_bytes(b"other weights")
    assert find_int8(other, RVM.int8) is None
    artefact = conversion.artefacts.load(NetworkSource(NAME, weights[NAME], int8=RVM.int8))
    assert [stage.name for stage in artefact.stages] == ["encoder", "decoder"]


def test_the_networks_that_ship_are_used_with_torch_as_well() -> None:
    """The first start converted them again, which took 27 seconds of processor time."""
    code = (
        "from app.matting.openvino.conversion import NetworkSource, artefacts; "
        "from models.table import BUNDLED; from models.weights import int8_file; "
        "print(*(artefacts.folder(NetworkSource('mattecam', BUNDLED, int8=i)) for i in (None, int8_file(BUNDLED))))"
    )

    folders = [Path(folder) for folder in printed_by(code).split()]

    assert [folder.parent for folder in folders] == [CONVERTED, CONVERTED]
    assert all(folder.is_dir() for folder in folders)


def test_a_conversion_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    source = NetworkSource("mattecam", BUNDLED)
    cache = ArtefactCache(always(tmp_path))
    left = tmp_path / f".new-{cache.folder(source).name}-abc"
    left.mkdir()
    (left / "trunk.bin").touch()

    cache.load(source)

    assert not left.exists()
