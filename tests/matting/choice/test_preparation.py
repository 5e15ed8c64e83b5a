"""The preparation of this machine: compiling and measuring in child processes, and what a live picture shows of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file, save_file

from app.backgrounds.standby import draw_card
from app.cli.bench import prepare
from app.core.errors import ModelError, Text
from app.core.settings import CaptureSettings, MattingSettings, OutputSettings
from app.core.targets import INTEL
from app.matting.choice import choice, hardware
from app.matting.choice import preparation as module
from app.matting.choice.preparation import Preparation, do, measure, trial_frames
from app.matting.choice.trials import (
    KERNELS,
    Trial,
    best,
    cpu_precisions,
    is_prepared,
    measurable,
    save_prepared,
    save_trials,
    trials_of,
    unmeasured,
)
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.settings import Settings
from models.table import BUNDLED
from models.weights import SOURCE, int8_file, sha256_of
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside, eventually


def script(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


STEPS = "print('1 2', flush=True); print('2 2', flush=True)"
ENDLESS = script("print('1 1', flush=True); import time; time.sleep(60)")


def children() -> set[psutil.Process]:
    return set(psutil.Process().children())


@pytest.mark.torch
def test_a_start_prepares_for_an_engine_in_openvino_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[object] = []
    monkeypatch.setattr(
        module.preparation, "ensure", lambda show, *, measured: prepared.append(measured)
    )
    here = MattingSettings(model="mattecam", device="cpu", precision="float32").engine
    missing = here.replace(model="bgmv2-resnet101")
    with pytest.raises(ModelError):
        choice.choose(missing)
    for settings in (here.replace(executor="eager"), missing):  # the start reports what is missing
        prepare(settings)
        assert prepared == []
    prepare(here.replace(executor="openvino"))
    assert prepared == [True]


def test_a_live_picture_waits_for_the_kernels_alone_and_other_work_for_the_measurement(
    tmp_path: Path,
) -> None:
    """Each once per process. Warnings of libraries on the standard error are more than a pipe holds."""
    seen: list[Text] = []
    file = tmp_path / "parts"
    notes = f"import sys; sys.stderr.write(99_999 * 'warning\\n'); open({str(file)!r}, 'a').write(str(sys.argv[1:]))"
    command = script(f"{notes}; {STEPS}")
    preparation = Preparation(command)
    for measured, parts in ((False, "['kernels']"), (True, "['kernels']['measurement']")):
        for _ in range(2):
            preparation.ensure(seen.append, measured=measured)
            assert file.read_text() == parts
            assert preparation.progress is None
    shown = [text.values for text in seen]
    assert shown == [{}, {"step": 1, "count": 2}, {"step": 2, "count": 2}] * 2, (
        "also before the first step"
    )

    file.unlink()
    Preparation(command).ensure(measured=True)

    assert file.read_text() == "['kernels', 'measurement']", (
        "one process, so that the steps have one count"
    )

    file.unlink()
    save_prepared(True)
    Preparation(command).ensure()

    assert not file.exists(), "a prepared machine starts no process"


def test_the_end_of_a_measurement_beside_a_picture_is_reported_once() -> None:
    reports: list[str] = []
    preparation = Preparation(script(STEPS), beside_after_s=0)
    preparation.begin(partial(reports.append, "measured"))
    for _ in range(2):
        preparation.measure_beside().join(60)
        assert preparation.progress is None, "nothing waits for it"
    for model, weights in measurable().items():
        save_trials(model, weights, [])
    other = Preparation(("no-such-program",), beside_after_s=0)
    other.begin(partial(reports.append, "nothing to measure"))
    other.measure_beside().join(60)
    assert reports == ["measured"]


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
def test_a_measurement_that_is_cancelled_ends_at_once_and_changes_nothing(delay_s: float) -> None:
    reports: list[str] = []
    preparation = Preparation(ENDLESS, delay_s)
    before = children()
    preparation.begin(partial(reports.append, "measured"))
    thread = preparation.measure_beside()
    eventually(lambda: bool(delay_s or children() - before))
    preparation.cancel()

    assert thread.join(60) and not children() - before and not reports


@pytest.mark.posix("signals that end a child")
@pytest.mark.parametrize(
    ("number", "is_given_up"),
    [
        pytest.param(11, True, id="the driver"),
        pytest.param(1, False, id="a logout"),
        pytest.param(2, False, id="Ctrl+C"),
        pytest.param(15, False, id="the system"),
    ],
)
def test_a_trial_condemns_the_gpu_where_the_driver_ended_it(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
    is_given_up: bool,
) -> None:
    monkeypatch.setattr(hardware, "intel_driver", always("a driver"))
    cpu = Trial("float32", None, 10.0, 10.0)
    for model, weights in measurable().items():
        save_trials(model, weights, [cpu])
    child = script(
        f"import os, signal; signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})"
    )

    measured: list[None] = []
    preparation = Preparation(child, beside_after_s=0)
    preparation.begin(partial(measured.append, None))

    with caplog.at_level("INFO"):
        for _ in range(2):
            preparation.measure_beside().join(60)

    assert measured == [], "the engine is not built anew for nothing"
    assert caplog.text.count("the next start continues it") == int(not is_given_up), (
        "what ends each child was given a new one again and again"
    )
    assert caplog.text.count("The trial of Intel's GPU did not end well") == int(is_given_up)
    assert bool(unmeasured(INTEL)) != is_given_up, "else it is tried at the next start"
    assert bool(trials_of("mattecam", BUNDLED, INTEL)) == is_given_up
    assert trials_of("mattecam", BUNDLED) == [cpu]


FAILURES = {
    "fails": (
        script("import sys; print('1 file', flush=True); sys.exit('the disk is full')"),
        "the disk is full",
    ),
    "traceback": (script("raise OSError('the disk is full')"), "the disk is full"),
    "killed": (
        script("import os; print('?', flush=True); os.kill(os.getpid(), 9)"),
        "(signal 9, as the system sends",
    ),
    "does not start": (("no-such-program",), "cannot be prepared"),
}


def needs_signals(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.posix("signals")] if name == "killed" else []


@pytest.mark.parametrize(
    ("command", "words"),
    [pytest.param(*each, id=name, marks=needs_signals(name)) for name, each in FAILURES.items()],
)
def test_a_preparation_that_fails_is_a_warning_of_one_line(
    command: tuple[str, ...], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    preparation = Preparation(command)
    for _ in range(2):
        preparation.ensure()

    assert caplog.text.count(words) == 1 and "Traceback" not in caplog.text, (
        "tried once per process"
    )


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_is_prepared_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "file"))
    seen: list[Text] = []
    Preparation(script(STEPS)).ensure(seen.append)
    assert not seen
    why = f"prepared in {tmp_path / 'file'}, so that every start takes longer: a"
    assert why in caplog.text and "Errno" not in caplog.text, "why, as a person reads it"


def test_a_start_keeps_what_another_program_does_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """It wrote back what it had read before, without what the other one measured and prepared."""
    trial = Trial("float32", None, 10.0, 10.0)
    look = is_prepared

    def look_before_the_other_one_is_done() -> bool:
        save_trials("mattecam", BUNDLED, [trial])
        save_prepared(True)
        return False

    monkeypatch.setattr(module, "is_prepared", look_before_the_other_one_is_done)

    Preparation(script(STEPS)).ensure()

    assert trials_of("mattecam", BUNDLED) == [trial]
    assert look()


def test_cancelling_ends_the_process_and_the_next_start_continues() -> None:
    preparation = Preparation(ENDLESS)
    for _ in range(2):
        preparation.begin(always(None))
        started = beside(preparation.ensure)
        eventually(lambda: preparation.progress is not None)
        preparation.cancel()
        with pytest.raises(ModelError):
            started.result(60)
        assert preparation.progress is None and not is_prepared()
    with pytest.raises(ModelError):
        preparation.ensure()


def test_a_preparation_ends_at_its_limit_and_the_start_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = children()

    Preparation(ENDLESS, limit_s=0.01).ensure()

    assert "was ended after 0.01 seconds, so that this start takes longer" in caplog.text
    assert not children() - before


def test_a_preparation_ends_well_while_the_program_runs() -> None:
    """Each first start said that the preparation had failed: its end was aborted."""
    until_read = (
        "import time; time.sleep(0.5)"  # the thread waits for the end of the program by then
    )
    code = (
        f"from app.matting.choice.preparation import end_with_the_program as e; e(); {until_read}"
    )

    with subprocess.Popen(
        script(code), cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read()

    assert (child.returncode, said) == (0, "")


def test_a_preparation_that_cannot_be_saved_ends_with_a_sentence(tmp_path: Path) -> None:
    """A disk that is full by then: the sentence began with the name of a class."""
    file = tmp_path / "file"
    file.touch()

    with subprocess.Popen(
        [*module.COMMAND, "kernels"],
        cwd=ROOT,
        env={**os.environ, "MATTECAM_DATA_DIR": str(file)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read().splitlines()

    assert child.returncode == 1
    assert said[-1].startswith("The file ")


def test_a_killed_program_leaves_no_preparation() -> None:
    """It went on, with the load of a core, and nobody waited for it."""
    endless = "import time; print('1 1', flush=True); time.sleep(600)"
    child = script(
        f"from app.matting.choice.preparation import end_with_the_program as e; e(); {endless}"
    )
    code = (
        "from app.matting.choice.preparation import Preparation; "
        f"Preparation({child!r}).ensure(lambda _: print(flush=True))"
    )
    with subprocess.Popen(script(code), stdout=subprocess.PIPE, cwd=ROOT) as program:
        assert program.stdout is not None and program.stdout.readline()
        (preparing,) = psutil.Process(program.pid).children()

        program.kill()

    def has_ended() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return (
                preparing.status() == psutil.STATUS_ZOMBIE
            )  # a container may have nobody who waits for it
        return True

    eventually(has_ended)


def test_an_interrupted_preparation_leaves_no_process() -> None:
    """SIGTERM reaches this process alone; the child went on, with the load of all cores."""

    def interrupt(_text: Text) -> None:
        raise KeyboardInterrupt

    before = children()  # such as daemons of other tests in this process
    with pytest.raises(KeyboardInterrupt):
        Preparation(ENDLESS).ensure(interrupt)
    eventually(lambda: not children() - before)


def test_the_steps_compile_convert_and_measure_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(module, "convert_bundled", always(None))
    monkeypatch.setattr(
        module, "measure_network", lambda model, weights, seconds: measured.append(model)
    )
    lowered: list[int] = []
    monkeypatch.setattr("os.nice", lowered.append, raising=False)  # Windows has none
    networks = list(measurable())
    kernels = len(KERNELS) + 1
    for parts, count, trials, niceness in (
        (["kernels"], kernels, [], []),
        (["kernels", "measurement"], kernels + len(networks), networks, []),
        (["measurement"], len(networks), networks, [module.NICENESS]),
    ):
        do(*parts)
        assert capsys.readouterr().out.splitlines() == [
            f"{step} {count}" for step in range(1, count + 1)
        ]
        assert (measured, lowered) == (trials, niceness), (
            "what somebody waits for has the priority of the program"
        )
        assert is_prepared()
        measured.clear()


def test_the_pipeline_shows_a_card_that_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "preparation", Preparation(ENDLESS))
    settings = Settings(
        capture=CaptureSettings(source="demo", width=320, height=180),
        matting=MattingSettings(model="mattecam", executor="openvino"),
        output=OutputSettings(virtual_camera="off"),
    )
    pipeline = Pipeline(settings)
    pipeline.start()
    try:
        eventually(
            lambda: pipeline.status().busy == "Preparing for this computer, once: step 1 of 1"
        )
        assert pipeline.status().phase is Phase.STARTING
        wanted = draw_card("Preparing for this computer, once: step 1 of 1", None, 320, 180)

        def says_so() -> bool:
            picture = pipeline.preview.get(1)
            return picture is not None and np.array_equal(picture.image, wanted)

        eventually(says_so)
    finally:
        assert pipeline.stop(), "a preparation does not delay the end"
    assert pipeline.status().frames_out == 0


def test_the_python_api_says_once_what_it_compiles_and_how_long_it_took(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first frame took half a minute without a word."""
    caplog.set_level("INFO", module.log.name)
    module.prepare_here.cache_clear()

    for _ in range(2):
        module.prepare_here()

    begun, done = caplog.messages
    assert (
        begun
        == "Preparing for this computer, once: the arithmetic is compiled, in about half a minute."
    )
    assert re.fullmatch(r"The arithmetic was compiled for this computer in \d+ seconds\.", done)
    assert is_prepared()


def test_a_prepared_computer_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", module.log.name)
    module.prepare_here.cache_clear()
    save_prepared(True)

    module.prepare_here()

    assert not caplog.messages


FRAMES = trial_frames(640, 360, 8)
"""A quarter of the pixels and half of the frames of a measurement."""


@pytest.mark.torch
@pytest.mark.long
def test_the_trial_runs_every_precision_on_all_cores_and_one_thread() -> None:
    times_s = itertools.count(0, 3)
    cpu_s = itertools.count(0, 7)
    clocks = (lambda: float(next(times_s))), (lambda: float(next(cpu_s)))
    trials = measure("mattecam", BUNDLED, 0.0, FRAMES, clocks)
    precisions = cpu_precisions("mattecam", BUNDLED)
    assert [(each.precision, each.threads) for each in trials] == [
        (p, t) for p in precisions for t in (None, 1)
    ]
    expected = Trial("float32", None, 3000.0, 7000.0, compile_s=3.0)
    assert trials[0] == expected, "float32 differs from nothing"
    assert trials[1].step_ms == trials[1].cpu_ms == 7000.0, (
        "on one thread, CPU time is the time of a step"
    )
    assert all(each.accurate for each in trials), "what ships is within the bounds"
    for each in trials:
        assert (each.mean_difference > 0) == (each.precision != "float32"), (
            "0 is float32 under another name"
        )


@pytest.mark.torch
@pytest.mark.long
def test_int8_with_wrong_scales_is_not_accurate(tmp_path: Path) -> None:
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    tensors = load_file(int8_file(BUNDLED))
    scale = next(name for name in tensors if name.endswith("scale"))
    save_file(
        {**tensors, scale: np.asarray(tensors[scale] / 3)},
        int8_file(weights),
        {SOURCE: sha256_of(weights)},
    )
    trials = measure("mattecam", weights, 0.0, FRAMES)
    differing = [each for each in trials if each.precision == "int8"]
    assert differing and not any(each.accurate for each in differing)
    cheap = [replace(each, cpu_ms=0.1) if each in differing else each for each in trials]
    taken = best(cheap)
    assert taken is not None and taken.precision != "int8"
