"""Training in several processes and on a machine with a GPU: waiting, ending by signals, stretches
that are resumed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import replace
from multiprocessing import resource_tracker
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import torch
from torch import Tensor, nn

from app.core import EXIT_DONE, EXIT_FAILED
from models.mattecam.bundled import load
from models.rvm.network import MattingNetwork
from tests.paths import ROOT
from tests.waiting import eventually
from training import degrade, gpu, train
from training.average import Average
from training.degrade import through_h264
from training.optimizer import Optimizer
from training.run import Draw, Run, Stage
from training.sources import read_image, to_rgb
from training.step import half_type
from training.tests import fail_or_work
from training.tests.samples import make_cache
from training.torch_teacher import TorchTeacher, rvm_teacher

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(scope="module", autouse=True)
def _tracker() -> None:
    """Start a process of multiprocessing that outlives the test which needs it first."""
    resource_tracker.ensure_running()


@posix
def test_when_one_process_fails_the_others_end() -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    began_s, before = time.monotonic(), psutil.Process().children()
    assert train.run_processes(fail_or_work, lambda _: 300.0, 2) == EXIT_FAILED
    assert time.monotonic() - began_s < 200
    for number, handler in handlers.items():
        signal.signal(number, handler)
    left = [child for child in psutil.Process().children() if child not in before]
    assert not [child for child in left if "spawn_main" in " ".join(child.cmdline())]


LIMIT_S = 90.0


@posix
@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_asked_to_end_it_keeps_its_checkpoint(tmp_path: Path, number: int) -> None:
    out, cache = tmp_path / "run", make_cache(tmp_path / "cache")
    command = [
        sys.executable,
        "-m",
        "training.train",
        "--out",
        str(out),
        "--cache",
        str(cache),
        "--processes",
        "2",
    ]
    options = ["--size", "64x48", "--batch", "4", "--minutes", "60", "--save-minutes", "60"]
    process = subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline_s = time.monotonic() + LIMIT_S
        while not (out / "log.jsonl").exists():  # until it has started to learn
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        if number == signal.SIGINT:  # like Ctrl+C: to every process of the terminal
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(LIMIT_S) == 130
        assert not psutil.wait_procs(children, timeout=60)[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert (out / "checkpoint.pt").exists()
    assert "check" in json.loads((out / "log.jsonl").read_text().splitlines()[-1])


@pytest.mark.long
def test_a_stretch_is_cached_trained_evaluated_exported_and_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_of, stop = gpu.plan_of, Run.stop

    def short(options: Namespace, scratch: Path) -> gpu.Plan:
        """Draw in the training thread, and train for a second."""
        plan = plan_of(options, scratch)
        return replace(
            plan, stage=replace(plan.stage, workers=0, minutes=10), stretch_s=0, least_s=1
        )

    def after_a_step(run: Run) -> None:
        begun = run.step
        eventually(lambda: run.step > begun)  # the second may be over before the first one
        stop(run)

    monkeypatch.setattr(gpu, "plan_of", short)
    monkeypatch.setattr(Run, "stop", after_a_step)
    out = tmp_path / "run"
    assert gpu.main(["--rehearse", "--out", str(out)]) == EXIT_DONE
    cached, trained, evaluated = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert cached["people"] > 0 and cached["views"] > 0 and cached["backgrounds"] > 0
    assert trained["steps"] > 0 and trained["finished"] is False
    assert 0 <= evaluated["photo_iou"] <= 1 and evaluated["mad"] >= 0
    packed_s = (out / "cache" / "people.u8").stat().st_mtime_ns
    assert gpu.main(["--rehearse", "--out", str(out)]) == EXIT_DONE
    _, again, _ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert again["step"] == trained["steps"] + again["steps"] > trained["step"]
    assert (out / "cache" / "people.u8").stat().st_mtime_ns == packed_s
    assert (out / "student.safetensors").exists()
    assert len((out / "results.jsonl").read_text().splitlines()) == 6


def test_without_data_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        gpu.parse(["--out", "run"])
    assert (
        exit_.value.code == 2
        and "--pictures, --weights and --out are needed" in capsys.readouterr().err
    )


def test_processes_share_a_step_without_gaps(stage: Stage) -> None:
    whole, *halves = (
        Draw(replace(stage, batch=4), rank, count)(3)[0] for rank, count in ((0, 1), (0, 2), (1, 2))
    )
    assert torch.equal(torch.cat(halves), whole)


def test_the_average_begins_with_the_weights_and_then_follows_them_slowly() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    average, weights = Average(network, 0.25), []
    for step in range(2):
        with torch.no_grad():
            network(torch.rand(2, 1, 5, 5))
            network[0].get_parameter("weight").add_(step + 1)
        average.update(network)
        weights.append(network[0].get_parameter("weight").detach().clone())
    decay = 2 / 11  # shorter than 0.25 at first
    torch.testing.assert_close(
        average.module.get_parameter("0.weight"), decay * weights[0] + (1 - decay) * weights[1]
    )
    assert int(average.module.get_buffer("1.num_batches_tracked")) == 2, (
        "what is no float is that of the network"
    )
    fresh = Average(network, 0.25)
    fresh.load_state_dict(average.state_dict())
    assert int(fresh.n_averaged) == 2


def test_the_teacher_in_torch_repeats_a_photo_and_follows_a_video(tmp_path: Path) -> None:
    torch.save(MattingNetwork().state_dict(), tmp_path / "rvm.pth")
    assert rvm_teacher(tmp_path / "rvm.pth", "cpu").frame(np.zeros((64, 96, 3), np.uint8))[
        1
    ].shape == (64, 96, 1)
    network, teacher = load(), TorchTeacher(load(), "cpu")
    photo = read_image(ROOT / "app" / "assets" / "astronaut.png")
    image = to_rgb(cv2.resize(photo, (128, 96), interpolation=cv2.INTER_AREA))
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    state: list[Tensor] = []
    wanted = []
    with torch.no_grad():
        for _ in range(3):
            foreground, alpha, *state = network(tensor, *state)
            wanted.append([(x[0].permute(1, 2, 0) * 255).numpy() for x in (foreground, alpha)])
    found = [teacher.photo(image, 2), teacher.frame(image)]
    teacher.reset()
    for mine, exact in zip([teacher.frame(image), *found], wanted, strict=True):
        for one, other in zip(mine, exact, strict=True):
            assert one.dtype == np.uint8
            np.testing.assert_allclose(one, other, atol=0.51)
    assert np.abs(wanted[0][1] - wanted[2][1]).max() > 1


def test_without_pyav_sequences_are_not_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [np.full((32, 32, 3), 90, np.uint8)]
    monkeypatch.setattr(degrade, "find_spec", lambda name: None)
    assert through_h264(frames, 30) is frames


@pytest.mark.parametrize(
    ("device", "has_bfloat16", "dtype"),
    [("cuda", False, torch.float16), ("cpu", True, torch.bfloat16), ("cpu", False, None)],
)
def test_devices_without_bfloat16_use_another_type(
    monkeypatch: pytest.MonkeyPatch, device: str, has_bfloat16: bool, dtype: torch.dtype | None
) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    monkeypatch.setattr("training.step.cpu_has_bfloat16", lambda: has_bfloat16)
    assert half_type(torch.device(device)) == dtype


def test_a_scaled_loss_gives_the_same_step_and_infinite_gradients_none() -> None:
    plain, scaled = (nn.Conv2d(8, 8, 3) for _ in range(2))
    scaled.load_state_dict(plain.state_dict())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    image = torch.rand(1, 8, 6, 6)
    for network, one in ((plain, torch.amp.GradScaler("cpu", enabled=False)), (scaled, scaler)):
        optimizer = Optimizer(network.parameters(), 0.01)
        torch.autograd.backward(one.scale(network(image).square().mean()))
        optimizer.step(one, 0.5)
    torch.testing.assert_close(scaled.weight, plain.weight)
    before = scaled.weight.detach().clone()
    for parameter in scaled.parameters():
        parameter.grad = torch.full_like(parameter, torch.inf)
    optimizer.step(scaler, 0.5)
    assert torch.equal(scaled.weight, before) and scaler.get_scale() < 1024.0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
def test_a_stretch_on_the_gpu_resumes_on_the_cpu(stage: Stage) -> None:
    on_gpu = Run(replace(stage, device="cuda", half=True, workers=1), 0, 1, "")
    on_gpu.train()
    assert on_gpu.step > 0
    resumed = Run(stage, 0, 1, "").learner.state_dict()
    torch.testing.assert_close(resumed, on_gpu.learner.state_dict(), check_device=False)
