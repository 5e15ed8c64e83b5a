"""Selection and construction of engines from settings, and the preparation of this machine for them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.backgrounds.standby import StandbyCard
from app.cli.bench_run import prepare
from app.core.errors import ModelError, Text, WeightsMissingError
from app.core.settings import CaptureSettings, MattingSettings, OutputSettings, Settings
from app.core.types import AlphaImage
from app.matting import choose_model
from app.matting.base.interface import auto_ratio
from app.matting.choice import choice, hardware
from app.matting.choice import preparation as module
from app.matting.choice.choice import choose
from app.matting.choice.hardware import CudaCards
from app.matting.choice.preparation import KERNELS, Preparation, do
from app.matting.choice.trials import is_prepared, keep_prepared, measurable
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from models import weights as registered
from models.table import BUNDLED
from models.weights import SHIPPED_SHA256, find_int8
from tests.matting.networks import BuildEngine, frames
from tests.published import install
from tests.waiting import beside, eventually


@pytest.fixture(autouse=True)
def _cpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", lambda: CudaCards(None))


def test_auto_takes_the_best_on_hand(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_model(MattingSettings()) == "mattecam"
    install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    assert choose_model(MattingSettings()) == "rvm-mobilenetv3"
    assert choose_model(MattingSettings(model="mattecam")) == "mattecam"


def test_damaged_weights_are_refused_and_not_chosen(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    assert choice.choose(MattingSettings()).model == "mattecam"
    assert "rvm_mobilenetv3.pth is damaged or not the published one" in caplog.text
    with pytest.raises(WeightsMissingError, match=r"rvm_mobilenetv3\.pth is damaged.*weights download rvm-mobilenetv3"):
        choice.choose(MattingSettings(model="rvm-mobilenetv3"))
    assert choice.choose(MattingSettings(model="rvm-mobilenetv3", weights=file)).weights == file, "named by the user"


def test_other_weights_in_the_folder_that_the_user_named_are_theirs(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / registered.spec_of("rvm-mobilenetv3").file
    file.write_bytes(weights["rvm-mobilenetv3"].read_bytes())
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(tmp_path))
    assert [choice.choose(MattingSettings()).weights for _ in range(2)] == [file] * 2
    (record,) = caplog.records
    said = record.getMessage()
    assert str(file) in said
    assert "differ from the published ones of rvm-mobilenetv3 and are used as your own" in said
    assert "run.py weights download rvm-mobilenetv3" in said
    registered.hash_record(file).write_text("0" * 64)
    assert choice.choose(MattingSettings()).model == "mattecam", "a recorded SHA-256 counts"


def test_damaged_weights_of_the_program_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_int8(registered.find("mattecam")) is not None, "intact, and remembered as such"
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student-int8.safetensors", "0" * 64)
    assert find_int8(registered.find("mattecam")) is None
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student.safetensors", "0" * 64)
    with pytest.raises(WeightsMissingError, match=r"student\.safetensors, which is part of the program, is damaged"):
        choice.choose(MattingSettings())


@pytest.mark.parametrize(
    ("size", "small"), [((1280, 720), (480, 270)), ((1920, 1080), (480, 270)), ((240, 180), (240, 180))]
)
def test_auto_ratio_aims_at_270_pixels(size: tuple[int, int], small: tuple[int, int]) -> None:
    geometry = choice.geometry_for(MattingSettings(), "rvm-mobilenetv3", *size)
    assert (geometry.small_width, geometry.small_height) == small
    assert auto_ratio(720, 1280) == auto_ratio(1280, 720)


def test_the_given_ratio_counts_and_a_tiny_one_is_refused(weights: dict[str, Path], engines: BuildEngine) -> None:
    settings = MattingSettings(model="mattecam", weights=weights["mattecam"], executor="eager")
    assert engines(settings.replace(downsample_ratio=0.4), 320, 200).info.downsample_ratio == 0.4
    with pytest.raises(ModelError, match="more detail"):
        engines(settings.replace(downsample_ratio=0.05), 320, 200)


@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_weights_of_something_else_are_refused(
    weights: dict[str, Path], tmp_path: Path, engines: BuildEngine, executor: str
) -> None:
    broken = tmp_path / "broken.pth"
    broken.write_bytes(weights["mattecam"].read_bytes()[:5000])
    for file in (weights["mattecam"], broken):
        with pytest.raises(ModelError, match=str(file.name)):
            engines(MattingSettings(model="rvm-mobilenetv3", weights=file, executor=executor), 160, 96)


@pytest.mark.torch
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="NVIDIA"):
        choice.choose_device(MattingSettings(device="cuda"))


def test_refiner_follows_the_weights_or_the_user(weights: dict[str, Path], engines: BuildEngine) -> None:
    settings = MattingSettings(
        model="rvm-mobilenetv3", weights=weights["rvm-mobilenetv3"], executor="eager", downsample_ratio=0.5
    )
    frame, backdrop = frames(160, 96, 2)

    def alpha(refiner: str) -> AlphaImage:
        engine = engines(settings.replace(refiner=refiner), 160, 96)
        return engine.step(frame, backdrop, settings.edges.replace(strict="off")).alpha

    deep, same, fast = map(alpha, ("auto", "deep-guided-filter", "fast-guided-filter"))
    assert (deep == same).all()
    assert (deep != fast).any()


def test_ratio_one_is_the_network_without_a_filter(weights: dict[str, Path], engines: BuildEngine) -> None:
    """At ratio 1 the network processes the full frame; both executors return its alpha unfiltered."""
    import torch

    from app.matting.torch.networks import load_core

    path = weights["rvm-mobilenetv3"]
    settings = MattingSettings(model="rvm-mobilenetv3", weights=path, downsample_ratio=1, precision="float32")
    frame, backdrop = frames(96, 64, 2)
    core = load_core("rvm-mobilenetv3", path, "auto", 0.5, "cpu", "float32")
    with torch.inference_mode():
        source = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
        alpha = core.network(source)[1][0, 0].numpy()

    for executor in ("eager", "openvino"):
        engine = engines(settings.replace(executor=executor), 96, 64)
        matte = engine.step(frame, backdrop, settings.edges.replace(strict="off"))
        assert abs(matte.alpha / 255 - alpha).max() <= 1.01 / 255


def script(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", textwrap.dedent(code)


STEPS = "print('1 2', flush=True); print('2 2', flush=True)"


@pytest.mark.torch
def test_a_start_prepares_for_an_engine_in_openvino_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[object] = []
    monkeypatch.setattr(module.preparation, "ensure", lambda show, *, measured: prepared.append(measured))
    here = MattingSettings(model="mattecam", device="cpu", precision="float32").engine
    missing = here.replace(model="bgmv2-resnet101")
    with pytest.raises(ModelError):
        choose(missing)
    for settings in (here.replace(executor="eager"), missing):  # the start reports what is missing
        prepare(settings)
        assert prepared == []
    prepare(here.replace(executor="openvino"))
    assert prepared == [True]


def test_progress_is_shown_and_ends() -> None:
    seen: list[Text] = []
    preparation = Preparation(script(STEPS))
    preparation.ensure(seen.append)
    assert [(text.values["step"], text.values["count"]) for text in seen] == [(1, 2), (2, 2)]
    assert preparation.progress is None
    preparation.ensure(seen.append)
    assert len(seen) == 2, "once per process"


def test_a_prepared_machine_starts_no_process() -> None:
    keep_prepared(True)
    Preparation(("no-such-program",)).ensure()


def test_a_live_picture_waits_for_the_kernels_alone_and_other_work_for_the_measurement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The outputs of a first start were not there for minutes."""
    said = tmp_path / "said"
    told = f"import sys; open({str(said)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')"
    monkeypatch.setattr(module, "unmeasured", lambda: {"mattecam": BUNDLED})
    preparation = Preparation(script(told))
    preparation.ensure()
    assert said.read_text() == "kernels\n"
    preparation.ensure(measured=True)
    assert said.read_text() == "kernels\nmeasurement\n", "each once per process"
    Preparation(script(told)).ensure(measured=True)
    assert said.read_text().splitlines()[-1] == "kernels measurement"


def test_the_measurement_beside_a_picture_is_told_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BESIDE_AFTER_S", 0)
    monkeypatch.setattr(module, "unmeasured", lambda: {"mattecam": BUNDLED})
    preparation, told = Preparation(script(STEPS)), []
    preparation.when_measured(lambda: told.append(preparation))
    preparation.measure_beside()
    eventually(lambda: told == [preparation])
    assert preparation.progress is None, "nothing waits for it"
    preparation.measure_beside()
    monkeypatch.setattr(module, "unmeasured", dict)
    other = Preparation(("no-such-program",))
    other.when_measured(lambda: told.append(other))
    other.measure_beside()
    for each in (preparation, other):
        eventually(lambda each=each: not each._beside.is_alive())  # type: ignore[misc]  # noqa: SLF001
    assert told == [preparation]


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
def test_a_measurement_that_is_cancelled_ends_at_once_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, delay_s: float
) -> None:
    monkeypatch.setattr(module, "BESIDE_AFTER_S", delay_s)
    monkeypatch.setattr(module, "unmeasured", lambda: {"mattecam": BUNDLED})
    preparation, told = Preparation(script("import time; time.sleep(60)")), []
    preparation.when_measured(lambda: told.append(1))
    before = set(psutil.Process().children())
    preparation.measure_beside()
    if not delay_s:
        eventually(lambda: bool(set(psutil.Process().children()) - before))
    preparation.cancel()
    eventually(lambda: not set(psutil.Process().children()) - before)
    eventually(lambda: not preparation._beside.is_alive())  # type: ignore[union-attr]  # noqa: SLF001
    assert not told


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (script("import sys; sys.exit('the disk is full')"), "the disk is full"),
        (script("raise OSError('the disk is full')"), "the disk is full"),
        (
            script("import os; print('a warning', flush=True); os.kill(os.getpid(), 9)"),
            "(signal 9, as the system sends",
        ),
        (("no-such-program",), "cannot be prepared"),
    ],
    ids=["fails", "traceback", "killed", "does not start"],
)
def test_a_preparation_that_fails_is_a_warning_of_one_line(
    command: tuple[str, ...], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    Preparation(command).ensure()
    assert words in caplog.text
    assert "Traceback" not in caplog.text


def test_a_preparation_that_says_much_goes_on() -> None:
    """Warnings of libraries on the standard error are more than a pipe holds."""
    talks = "import sys; sys.stderr.write(99_999 * 'warning\\n');"
    seen: list[Text] = []
    Preparation(script(f"{talks} {STEPS}")).ensure(seen.append)
    assert [text.values["step"] for text in seen] == [1, 2]


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_is_prepared_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "file"))
    seen: list[Text] = []
    Preparation(script(STEPS)).ensure(seen.append)
    assert not seen
    assert f"prepared in {tmp_path / 'file'}, so that every start takes longer: a" in caplog.text, (
        "why, as a person reads it"
    )
    assert "MATTECAM_DATA_DIR" in caplog.text
    assert "Errno" not in caplog.text


def test_cancelling_ends_the_process_and_the_next_start_continues() -> None:
    preparation = Preparation(script("print('1 1', flush=True); import time; time.sleep(60)"))
    started = beside(preparation.ensure)
    eventually(lambda: preparation.progress is not None)
    preparation.cancel()
    with pytest.raises(ModelError):
        started.result(60)
    assert preparation.progress is None
    assert not is_prepared()


def test_an_interrupted_preparation_leaves_no_process() -> None:
    """SIGTERM reaches this process alone; the child went on, with the load of all cores."""

    def interrupt(_text: Text) -> None:
        raise KeyboardInterrupt

    before = psutil.Process().children()  # such as daemons of other tests in this process
    with pytest.raises(KeyboardInterrupt):
        Preparation(script("print('1 1', flush=True); import time; time.sleep(60)")).ensure(interrupt)
    eventually(lambda: not set(psutil.Process().children()) - set(before))


def test_the_steps_compile_convert_and_measure_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(module, "convert_bundled", lambda: None)
    monkeypatch.setattr(module, "measure_network", lambda model, weights, seconds: measured.append(model))
    monkeypatch.setattr("os.nice", lambda _by: None)
    kernels, networks = len(KERNELS) + 1, list(measurable())
    for parts, count, trials in (
        (["kernels"], kernels, []),
        (["measurement"], len(networks), networks),
        (["kernels", "measurement"], kernels + len(networks), networks),
    ):
        measured.clear()
        do(parts)
        assert capsys.readouterr().out.splitlines() == [f"{step} {count}" for step in range(1, count + 1)]
        assert measured == trials
        assert is_prepared()


def test_the_pipeline_shows_a_card_that_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Preparation(script("print('1 1', flush=True); import time; time.sleep(60)"))
    monkeypatch.setattr(module, "preparation", shared)
    settings = Settings(
        capture=CaptureSettings(source="demo", width=320, height=180),
        matting=MattingSettings(model="mattecam", executor="openvino"),
        output=OutputSettings(virtual_camera="off"),
    )
    pipeline = Pipeline(settings)
    pipeline.start()
    try:
        eventually(lambda: isinstance(pipeline.status().busy, Text))
        assert pipeline.status().busy == "Preparing for this computer, once: step 1 of 1"
        assert pipeline.status().phase is Phase.STARTING
        wanted = StandbyCard("Preparing for this computer, once: step 1 of 1").image(320, 180)

        def says_so() -> bool:
            picture = pipeline.preview.get(1)
            return picture is not None and np.array_equal(picture.image, wanted)

        eventually(says_so)
    finally:
        assert pipeline.stop(), "a preparation does not delay the end"
    assert pipeline.status().frames_out == 0
