"""Format the benchmark's result as a table."""

from __future__ import annotations

from typing import Any


def table(result: dict[str, Any]) -> str:
    """Return a Markdown table; its last column is the speed-up over the reference loop with the same network.

    The lines below the table name what `auto` selects.
    """
    lines = [
        "| what | model | executor | precision | size | ratio | median ms | p95 ms | fps | CPU ms | × usual loop |",
        "|---|---|---|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in result["results"]:
        usual = [
            other["median_ms"]
            for other in result["results"]
            if (other["what"], other["executor"], other["model"]) == ("usual-loop", "eager", row["model"])
        ]
        faster = f"{usual[0] / row['median_ms']:.2f}" if usual else ""
        lines.append(
            f"| {row['what']} | {row['model']} | {row['executor']} | {row['precision']} "
            f"| {row['size'][0]}×{row['size'][1]} | {row['downsample_ratio']:g} | {row['median_ms']:.1f} "
            f"| {row['p95_ms']:.1f} | {row['fps']:.1f} | {row['cpu_ms_per_frame']:.1f} | {faster} |"
        )
    for pick in result["auto"]:
        measured = f" (measured: {pick['measured']} a step)" if pick["measured"] else ""
        lines += ["", f"auto selects {pick['executor']} in {pick['precision']} for {pick['model']}{measured}."]
    return "\n".join(lines)
