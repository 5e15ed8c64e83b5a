"""Format the result of the benchmark in use as Markdown."""

from __future__ import annotations

from typing import Any

from benchmarks.in_use.cpu import PARTS

LEAST_MS = 0.05
"""Threads that take less per composite are left out of the table."""


def table(result: dict[str, Any]) -> str:
    """Return for each model its rates and latencies, CPU time by part, and CPU use while idle."""
    models = dict.fromkeys(row["model"] for row in result["results"])
    return "\n\n".join(
        _model([row for row in result["results"] if row["model"] == model]) for model in models
    )


def _model(results: list[dict[str, Any]]) -> str:
    first, rows = results[0], [row for row in results if row["what"] == "in-use"]
    width, height = first["size"]
    lines = [
        f"{first['model']}, {first['executor']}, {first['precision']}, {width}×{height},"
        f" ratio {first['downsample_ratio']:g}:",
        "",
        "| outputs | fps | end to end ms (p95) | step ms | step alone ms | ratio | dropped | cores"
        " | longest stall of the GUI thread (p99) |",
        f"|---|{'---:|' * 8}",
        *map(_rate_row, rows),
        "",
        f"| CPU ms per composite | {' | '.join((*PARTS, 'total'))} |",
        f"|---|{'---:|' * (len(PARTS) + 1)}",
        *map(_cpu_row, rows),
        *_thread_table(rows),
    ]
    for row in results:
        if "cpu_percent" in row:
            lines += [
                "",
                f"{row['what'].capitalize()} ({_outputs(row)}): {row['cpu_percent']:.1f} % of one "
                "core.",
            ]
        if row.get("lowered"):
            lines += ["", f"{_outputs(row)}: {row['lowered']}."]
    return "\n".join([*lines, *_recording_cost(rows)])


def _rate_row(row: dict[str, Any]) -> str:
    latency, stall = row["end_to_end_ms"], row["gui_stall_ms"]
    return (
        f"| {_outputs(row)} | {row['fps']:.1f} | {latency['median']:.0f} ({latency['p95']:.0f}) | "
        f"{row['step_ms']:.1f} | {row['step_alone_ms']:.1f} | {row['step_ratio']:.2f} | "
        f"{row['dropped']} | {row['cores']:.2f} | "
        f"{'{longest:.0f} ms ({p99:.0f})'.format(**stall) if stall else ''} |"
    )


def _cpu_row(row: dict[str, Any]) -> str:
    spent = " | ".join(f"{row['cpu_ms_per_frame'][part]:.1f}" for part in (*PARTS, "total"))
    return f"| {_outputs(row)} | {spent} |"


def _thread_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the CPU time by thread with most outputs on."""
    row = max(rows, key=lambda each: len(each["outputs"]), default={})
    threads = {name: spent for name, spent in row.get("threads", {}).items() if spent >= LEAST_MS}
    if not threads:
        return []
    return [
        "",
        f"| thread, {_outputs(row)} | CPU ms per composite |",
        "|---|---:|",
        *(f"| {name} | {spent:.1f} |" for name, spent in threads.items()),
    ]


def _recording_cost(rows: list[dict[str, Any]]) -> list[str]:
    """Return the frame rate with a recording relative to that with the same outputs without it."""
    by_outputs = {frozenset(row["outputs"]): row["fps"] for row in rows}
    for row in rows:
        without = by_outputs.get(frozenset(row["outputs"]) - {"recording"})
        if "recording" in row["outputs"] and without:
            return [
                "",
                f"Frame rate with the recording relative to without: {row['fps'] / without:.2f}.",
            ]
    return []


def _outputs(row: dict[str, Any]) -> str:
    return " + ".join(row["outputs"]) or "none"
