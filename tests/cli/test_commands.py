"""Every command explains itself and runs once; the contenders of `bench` do the same work.

`.ci/run` runs this with the oldest Python as well.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.core import TyperGroup

from app import __version__
from app.cli import main
from app.cli.bench import LABELS, Contender, interleave, measure_models, targets
from app.cli.options import GROUPS
from app.control.commands import SYNTAX
from app.core import paths
from app.core.errors import ModelError
from app.core.settings import MattingSettings
from app.core.targets import INTEL, Target
from app.matting import build_engine
from app.matting.choice import hardware
from app.matting.choice.choice import Choice
from app.matting.choice.trials import Trial, save_trials
from app.matting.interface import StepRequest
from models.table import BUNDLED
from tests.control.conftest import serving
from tests.fresh_python import printed_by
from tests.matting.stubs import frames
from tests.paths import ROOT
from tests.stand_ins import always

SMALL = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam"]
# Arguments of one run of each command, in a folder with the picture `person.png`.
RUNS: dict[str, list[str]] = {
    "headless": [
        *SMALL,
        "--frames",
        "3",
        "--record",
        "recorded.mkv",
        "--status-json",
        "status.json",
    ],
    "convert": ["person.png", "matted.png", "--background", "#00b140", "--model", "mattecam"],
    "devices": ["--json"],
    "ctl": ["status", "--json"],
    "doctor": ["--json"],
    "bench": ["--json", "--seconds", "0.1", "--size", "320x240", "--model", "mattecam"],
    "version": [],
    "weights list": [],
    "weights verify": [],
}


def commands(group: TyperGroup, above: str = "") -> Iterator[str]:
    """Yield the words of every command, without groups."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{above}{name} ")
        else:
            yield above + name


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main([*words, "--help"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """In words of the user, not in types of Python such as `<float range>` and `<list[str]>`."""
    group = typer.main.get_command(main.app)
    assert isinstance(group, TyperGroup)
    names = set(commands(group))
    assert names == {*RUNS, "weights download"}, "the last goes online; its refusals are tested"
    for name in names:
        told = helped(capsys, *name.split())
        assert told.startswith("Usage: ") and not re.search(r"<[a-z]|\.\.\.\S*\.\.\.", told), name


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=[pytest.mark.long] * (name == "bench")) for name in RUNS]
)
def test_it_runs(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`convert` lost its arguments on Python 3.10."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(paths.assets_dir() / "astronaut.png", "person.png")
    with serving():
        code = main.main([*command.split(), *RUNS[command]])
    output = capsys.readouterr()
    assert code == 0 or (command == "doctor" and code == 1), output.err
    if "--json" in RUNS[command]:
        assert json.loads(output.out)
        assert command != "devices" or set(json.loads(output.out)) == {"cameras", "virtual_cameras"}
    if command == "convert":
        with Image.open("matted.png") as picture:
            assert picture.convert("RGB").getpixel((3, 3)) == (0x00, 0xB1, 0x40)
    assert Path("recorded.mkv").exists() if command == "headless" else output.out + output.err


@pytest.mark.long
def test_the_window_opens(tmp_path: Path) -> None:
    status = tmp_path / "status.json"
    words = [*SMALL, "--frames", "3", "--status-json", str(status)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MATTECAM_DATA_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "mattecam", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(status.read_text())["frames_out"] > 0


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == main.main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n" * 2


def test_the_help_has_commands_first_and_options_in_groups(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = helped(capsys)
    titles = re.findall(r"^(\w[^:\n]*):$", told, re.MULTILINE)
    assert titles[0] == "Commands" and [title for title in titles if title in GROUPS] == list(
        GROUPS
    )
    of_the_program = set(re.findall(r"^  (\w+)", told.partition("Commands:")[2], re.MULTILINE))
    assert of_the_program == {name.split()[0] for name in RUNS}
    assert "..." not in helped(capsys, "weights").partition("Commands:")[2], "no sentence is cut"
    of_ctl = helped(capsys, "ctl").partition("Commands for the running program:")[2]
    assert set(re.findall(r"^  (\S+)", of_ctl, re.MULTILINE)) >= set(SYNTAX)
    assert all(syntax.description.endswith(".") for syntax in SYNTAX.values())


def test_a_command_starts_without_what_only_others_need() -> None:
    """`ctl`, which keys of the desktop start, loaded FFmpeg and the choice of networks."""
    loaded = printed_by("import sys, app.cli.main; print(*sys.modules)").split()
    assert not {"app.matting", "av", "openvino", "torch"} & set(loaded)


def test_contenders_take_turns() -> None:
    calls: list[str] = []

    def note(name: str, _index: int) -> None:
        calls.append(name)

    contenders = [Contender(("step", "", name, "", ""), partial(note, name)) for name in "ab"]

    interleave(contenders, 0.0)

    assert [len(each.wall_ms) for each in contenders] == [10, 10]
    assert "".join(calls[10:]) == "aaaaabbbbbaaaaabbbbb"


@pytest.mark.torch
def test_usual_loop_and_step_give_the_same_picture() -> None:
    from app.matting.torch.torch_backend import usual_loop
    from models.mattecam.bundled import load

    frame, backdrop = frames(192, 144, 2)
    settings = MattingSettings(
        model="mattecam", device="cpu", executor="eager", precision="float32", downsample_ratio=0.5
    )
    engine = build_engine(settings, 192, 144)
    ours = engine.step(StepRequest(frame, backdrop, settings.edges)).composite
    engine.close()
    theirs = usual_loop(load().eval(), backdrop, 0.5, "cpu")(frame)
    assert np.abs(theirs.astype(int) - ours).max() <= 2


@pytest.mark.torch
def test_bench_has_every_part_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    words = "bench --json --model mattecam --device cpu --size 192x144 --precision float32 --seconds 0.1"
    assert main.main(words.split()) == 0
    written = capsys.readouterr()
    result = json.loads(written.out)
    assert "mattecam: measuring" in written.err
    rows = result["results"]
    assert {"network", "step", "usual-loop"} == {row["what"] for row in rows}
    figures = {"size", "downsample_ratio", "median_ms", "p95_ms", "fps", "cpu_ms_per_frame"}
    assert all(set(row) >= {*LABELS, *figures} for row in rows)
    assert all(row["median_ms"] > 0 and row["size"] == [192, 144] for row in rows)
    assert next(row["times_usual_loop"] for row in rows if row["what"] == "usual-loop") == 1


@pytest.mark.torch
def test_weights_of_another_model_are_told_in_one_sentence() -> None:
    lines: list[str] = []

    with pytest.raises(ModelError, match="does not contain weights of rvm-mobilenetv3"):
        measure_models(
            MattingSettings(model="rvm-mobilenetv3", weights=BUNDLED),
            (64, 48),
            1.0,
            lines.append,
        )

    assert lines == ["rvm-mobilenetv3: preparing"]


def test_a_card_is_measured_beside_the_processor() -> None:
    card = Choice("mattecam", BUNDLED, Target("cuda:0", "eager", "float16"))
    both = {Target("cuda:0", "eager", "float16"), Target("cpu", "openvino", "float32")}

    assert both <= set(targets(MattingSettings(), card))
    assert {target.executor for target in targets(MattingSettings(device="cuda:0"), card)} == {
        "eager"
    }


def test_what_auto_takes_is_measured_before_the_benchmark_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After an update, the benchmark ran in the precision of the rule for machines that were not measured."""
    done: list[str] = []

    def measured(*_: object) -> dict[str, list[str]]:
        done.append("benchmark")
        return {"results": done}

    monkeypatch.setattr("app.cli.bench.prepare", lambda settings: done.append("preparation"))
    monkeypatch.setattr("app.cli.bench.measure_models", measured)
    assert main.main(["bench", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"results": ["preparation", "benchmark"]}


def test_the_trials_are_printed_as_text_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.cli.bench.prepare", always(None))
    monkeypatch.setattr(hardware, "intel_driver", always("a driver"))
    save_trials("mattecam", BUNDLED, [Trial("int8", 1, 11.6, 11.5, 1.9e-4, compile_s=0.8)])
    save_trials(
        "mattecam",
        BUNDLED,
        [Trial("float16", None, 9.0, 2.0, 2e-5, "GPU.0", "Intel Iris", 51.0)],
        INTEL,
    )

    assert main.main(["bench", "--trials"]) == 0

    machine, _, table = capsys.readouterr().out.partition("\n\n")
    assert f"processor: {hardware.processor()}" in machine
    assert table.splitlines()[1:] == [
        "mattecam\tint8\tone thread\t11.6\t11.5\t1.9e-04\t0.8\t",
        "mattecam\tfloat16\tIntel Iris\t9.0\t2.0\t2.0e-05\t51.0\t",
    ]
