"""How much of the room leaks: alpha on background pixels, what an attacker reconstructs, text
behind the blur.

    python -m benchmarks.bench_leak [--data FOLDER] [--model M]... [--strict off|balanced]...
                                    [--draw N] [--precision P] [--quick] [--json]

Sequences with known truth go through the engine as the program builds it on a CPU (float32 by
default), in front of a backdrop that the attacker knows. Reported per case, in percent of the
background pixels: pixels whose largest alpha over the sequence reaches 0.1 and 0.5, and pixels that
the attacker reconstructs within 24/255, knowing alpha or not; within 10 pixels of the person (rim)
and beyond. A second table says how much of people a level loses beyond what the network loses
(level off). `docs/security.md` explains the method.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from app.capture.demo import DemoSource
from app.cli.bench import interleave, step_contender
from app.core.errors import MattecamError
from app.core.settings import HIDES_TEXT, EdgeSettings, MattingSettings, StrictLevel
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.engine import load_kernels
from app.matting.interface import StepRequest
from benchmarks.leak_blur import CAP_HEIGHTS, Readability, readability
from benchmarks.leak_lost import Lost, lost_table, persons_lost
from benchmarks.leak_measure import Counter, Leak, Zone, total
from benchmarks.leak_presence import presence_scenes
from benchmarks.leak_samples import Scene
from benchmarks.leak_scenes import SIZE, scenes

DATA = Path(__file__).resolve().parents[2] / "shared"
MODELS = ("mattecam", "rvm-mobilenetv3")
Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
LEVELS: tuple[StrictLevel, ...] = get_args(StrictLevel)
BACKDROP = (255, 0, 255)
"""A colour that no room has, so that nothing of it passes for the room."""
HD = (1280, 720)
COST_SECONDS = 8.0
BLURS = ((0.0, 1), (50.0, 1), (HIDES_TEXT, 1), (100.0, 1), (HIDES_TEXT, 2), (HIDES_TEXT, 4))
"""Strengths, and zooms of the camera's frame."""
BLUR_SMALL_HEIGHT = 180
"""Of the bundled network; what the room is blurred at."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report."""

    model: str
    strict: StrictLevel
    case: str
    sequences: int
    leak: Leak
    worst_beyond: float
    """`beyond.visible` of the worst sequence."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed; `lost` and `strict_ms` by model and level."""

    absent: list[str]
    rows: list[Row] = field(default_factory=list)
    lost: dict[str, dict[StrictLevel, dict[str, Lost]]] = field(default_factory=dict)
    strict_ms: dict[str, dict[str, float]] = field(default_factory=dict)


def measure(
    model: str,
    strict: StrictLevel,
    data: Sequence[Scene],
    precision: Precision = "float32",
    *,
    live: bool = False,
) -> list[Row]:
    """Run every sequence through one model. Raises MattecamError where the model is not installed."""
    edges = EdgeSettings()
    settings = MattingSettings(model=model, device="cpu", precision=precision)
    engine = build_engine(settings, *SIZE, live=live)
    results: dict[str, list[Leak]] = defaultdict(list)
    try:
        for scene in data:
            engine.reset()
            counters: dict[str, Counter] = {}
            for sample in scene.samples():
                backdrop: BgrImage = np.full_like(sample.image, BACKDROP)
                matte = engine.step(StepRequest(sample.image, backdrop, edges, strict))
                if sample.case:
                    counter = counters.setdefault(sample.case, Counter(backdrop))
                    counter.add(
                        sample.image, sample.person, sample.exact, matte.alpha, matte.composite
                    )
            for case, counter in counters.items():
                results[case].append(counter.result())
    finally:
        engine.close()
    return [
        Row(
            model,
            strict,
            case,
            len(leaks),
            total(leaks),
            max(leak.beyond.visible for leak in leaks),
        )
        for case, leaks in results.items()
    ]


def strict_cost_ms(model: str) -> dict[str, float]:
    """Median time of a 720p step at each level of strict mode, taking turns in one run."""
    source = DemoSource(*HD, 30.0, realtime=False)
    frames, backdrop = (
        [source.render(index) for index in range(12)],
        np.full((HD[1], HD[0], 3), 90, np.uint8),
    )
    engines = [build_engine(MattingSettings(model=model, device="cpu"), *HD) for _ in LEVELS]
    try:
        contenders = [
            step_contender(engine, level, frames, backdrop)
            for level, engine in zip(LEVELS, engines, strict=True)
        ]
        interleave(contenders, COST_SECONDS)
        medians = [each.figures()["median_ms"] for each in contenders]
    finally:
        for engine in engines:
            engine.close()
    return dict(zip(LEVELS, medians, strict=True))


def tables(rows: Sequence[Row]) -> str:
    """The report as Markdown."""
    head = (
        "| model | strict | case | rim ≥ 0.1 | rim ≥ 0.5 | beyond ≥ 0.1 | beyond ≥ 0.5 | worst "
        "beyond ≥ 0.1 | "
    )
    head += "alpha known, rim / beyond | alpha unknown, rim / beyond | MAD | person lost |"
    lines = [head, "|---" * 12 + "|"]
    for row in rows:
        rim, beyond = row.leak.rim, row.leak.beyond
        mad, lost = row.leak.mad, row.leak.lost
        cells = [
            row.model,
            row.strict,
            row.case,
            *(_percent(rim, share) for share in (rim.visible, rim.strong)),
            *(
                _percent(beyond, share)
                for share in (beyond.visible, beyond.strong, row.worst_beyond)
            ),
            f"{_percent(rim, rim.alpha_known)} / {_percent(beyond, beyond.alpha_known)}",
            f"{_percent(rim, rim.alpha_unknown)} / {_percent(beyond, beyond.alpha_unknown)}",
            "-" if mad is None else f"{mad:.4f}",
            "-" if lost is None else f"{100 * lost:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(zone: Zone, share: float) -> str:
    return f"{100 * share:.3f}" if zone.pixels else "-"


def _readability(strength: float, zoom: int) -> Readability:
    heights = [height for height in CAP_HEIGHTS if zoom == 1 or height * zoom <= CAP_HEIGHTS[-1]]
    return readability(strength, BLUR_SMALL_HEIGHT, heights, zoom)


def _blur_table(results: Iterable[Readability]) -> str:
    lines = [
        "| strength | zoom | sigma at 720p | readable cap height | letters read at 30 px |",
        "|---" * 5 + "|",
    ]
    for result in results:
        height = result.cap_height_px
        readable = f"more than {max(result.recognized)} px" if height is None else f"{height} px"
        row = f"| {result.strength:g} | {result.zoom} | {result.sigma_px:.1f} px | {readable} "
        lines.append(f"{row}| {100 * result.recognized[30]:.0f} % |")
    return "\n".join(lines)


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with clips, train and train-clean"
    )
    parser.add_argument(
        "--model", action="append", help=f"repeatable; default: {', '.join(MODELS)}"
    )
    parser.add_argument(
        "--strict", action="append", choices=LEVELS, help="repeatable; default: all levels"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="the network spares work where little moves, as in a call",
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument(
        "--size", type=_size, default=SIZE, metavar="WxH", help="of the frames made from data"
    )
    parser.add_argument(
        "--draw", type=int, default=0, metavar="N", help="which people and rooms are put together"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer sequences, no blur and no timing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    return parser.parse_args()


def _measure_model(
    model: str, words: argparse.Namespace, data: Sequence[Scene], found: Report
) -> None:
    """Add the model's rows and cost, or a sentence where it cannot be measured."""
    levels = words.strict or LEVELS
    try:
        for strict in levels:
            print(f"{model}, strict {strict}: {len(data)} sequences", file=sys.stderr)
            found.rows.extend(measure(model, strict, data, words.precision, live=words.live))
        filters = [level for level in levels if level != "off"]
        people = presence_scenes(words.data, words.size, words.quick, words.draw) if filters else []
        if people:
            print(f"{model}, persons lost: {len(people)} sequences", file=sys.stderr)
            settings = MattingSettings(model=model, device="cpu", precision=words.precision)
            found.lost[model] = persons_lost(settings, filters, people, live=words.live)
        if not words.quick:
            found.strict_ms[model] = strict_cost_ms(model)
    except MattecamError as error:
        found.absent.append(f"{model} is not measured: {error}")


def main() -> None:
    """Measure and print."""
    words = _arguments()
    load_kernels()
    data, absent = scenes(words.data, words.size, words.quick, words.draw)
    found = Report(absent)
    for model in words.model or MODELS:
        _measure_model(model, words, data, found)
    blurs = [] if words.quick else [_readability(*blur) for blur in BLURS]
    if words.json:
        blur = [{**asdict(result), "cap_height_px": result.cap_height_px} for result in blurs]
        print(json.dumps({**asdict(found), "blur": blur}, indent=2))
        return
    print(tables(found.rows))
    for model, lost in found.lost.items():
        print(f"\n{lost_table(model, lost)}")
    for model, cost in found.strict_ms.items():
        print(f"\n{model} at 720p: {', '.join(f'{level} {ms} ms' for level, ms in cost.items())}.")
    if blurs:
        print(f"\n{_blur_table(blurs)}")
    for sentence in found.absent:
        print(f"\n{sentence}")


if __name__ == "__main__":
    main()
