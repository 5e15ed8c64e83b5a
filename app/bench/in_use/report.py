"""Format the result of the benchmark in use as tables."""

from __future__ import annotations

from typing import Any

from app.bench.in_use.cpu import PARTS


def table(result: dict[str, Any]) -> str:
    """Return Markdown tables: rates and latencies, CPU time by part, and CPU use while idle."""
    rows = [row for row in result["results"] if row["what"] == "in-use"]
    lines = [
        "| model | precision | ratio | outputs | fps | end to end ms (p95) | step ms | alone ms | × alone | dropped "
        "| CPU ms | cores | GUI stall ms (p99) |",
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        latency, stall = row["end_to_end_ms"], row["gui_stall_ms"]
        lines.append(
            f"| {row['model']} | {row['precision']} | {row['downsample_ratio']:g} | {_outputs(row)} | {row['fps']:.1f} "
            f"| {latency['median']:.0f} ({latency['p95']:.0f}) | {row['step_ms']:.1f} | {row['step_alone_ms']:.1f} "
            f"| {row['step_ratio']:.2f} | {row['dropped']} | {row['cpu_ms_per_frame']['total']:.1f} "
            f"| {row['cores']:.2f} | {'{longest:.0f} ({p99:.0f})'.format(**stall) if stall else ''} |"
        )
    parts = (*PARTS, "total")
    lines += [
        "",
        f"| CPU ms per frame: outputs | {' | '.join(parts)} |",
        f"|---|{'---:|' * len(parts)}",
    ]
    for row in rows:
        spent = " | ".join(f"{row['cpu_ms_per_frame'][part]:.1f}" for part in parts)
        lines.append(f"| {row['model']}: {_outputs(row)} | {spent} |")
    for row in result["results"]:
        if "cpu_percent" in row:
            lines += ["", f"{row['model']}, {row['what']} ({_outputs(row)}): {row['cpu_percent']:.1f} % of one core."]
        if row.get("lowered"):
            lines += ["", f"{row['model']}, {_outputs(row)}: {row['lowered']}."]
    return "\n".join(lines)


def _outputs(row: dict[str, Any]) -> str:
    return " + ".join(row["outputs"]) or "none"
