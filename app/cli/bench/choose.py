"""Measures again which precision and number of threads `auto` takes: `run.py bench --choose`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.core.settings import MattingSettings
from app.matting.selection.choice import choose
from app.matting.selection.measured import best, is_measurable, measurable, note_trials
from app.matting.selection.trial import measure

Progress = Callable[[str], None]


def choose_again(settings: MattingSettings, seconds: float, progress: Progress) -> dict[str, Any]:
    """Measure networks for about `seconds` in all, keep the result and return it for `bench --json`.

    settings: with weights, the network of that file is measured; without, all installed ones. Raises
    WeightsMissingError, or ModelError if a network cannot run.
    """
    networks = measurable() if settings.weights is None else _named(settings)
    if not networks:
        progress("Nothing to measure: auto has no choice of precisions or threads here")
    choices = []
    for model, weights in networks.items():
        progress(f"{model}: measuring for {seconds / len(networks):.0f} s")
        trials = measure(model, weights, seconds / len(networks))
        try:
            note_trials(model, weights, trials)
        except OSError as error:
            progress(
                f"The measurement cannot be kept: {error.strerror}; free space, or name a folder in MATTECAM_DATA_DIR"
            )
        rows = [{**asdict(trial), "step_ms": trial.step_ms, "accurate": trial.accurate} for trial in trials]
        taken = best(trials)
        precision, threads, run = (taken.precision, taken.threads, str(taken.words)) if taken else (None, None, None)
        choices.append({"model": model, "precision": precision, "threads": threads, "run": run, "trials": rows})
    return {"choices": choices}


def _named(settings: MattingSettings) -> dict[str, Path]:
    choice = choose(settings.replace(device="cpu", executor="openvino", precision="auto"))
    return {choice.model: choice.weights} if is_measurable(choice.model, choice.weights) else {}


def choices_table(result: dict[str, Any]) -> str:
    """Return a Markdown table of the trials; below it what `auto` takes from now on."""
    lines = [
        "| model | precision | threads | step ms | CPU ms | mean difference | edge difference |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    picks = []
    for choice in result["choices"]:
        for trial in choice["trials"]:
            times = f"{trial['step_ms']:.1f} | {trial['cpu_ms']:.1f}"
            differences = f"{trial['mean_difference']:.5f} | {trial['edge_difference']:.4f}"
            run = f"{trial['precision']} | {trial['threads'] or 'all'}"
            lines.append(f"| {choice['model']} | {run} | {times} | {differences} |")
        if choice["run"] is None:
            picks += ["", f"Nothing could be measured for {choice['model']}; the processor's instructions decide."]
        else:
            picks += ["", f"auto takes {choice['run']} for {choice['model']}."]
    return "\n".join([*lines, *picks])
