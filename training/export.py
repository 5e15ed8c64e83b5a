"""Export what was trained as the bundled network: `python -m training.export CHECKPOINT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer

from app.core.errors import UsageError
from app.core.paths import assets_dir
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from models.table import BUNDLED
from training.edges import widened
from training.rounding import round_weights
from training.saving import save
from training.sources import read_image, to_rgb
from training.step import Learner

SIZE = (90, 150)
"""(height, width) of the small frame of the expected outputs; odd at every level on purpose."""


def main(
    trained: Annotated[
        Path,
        typer.Argument(help="A checkpoint of `training.train`, or weights of `training.edges`."),
    ],
    blend: Annotated[
        Path | None, typer.Option(help="A checkpoint or exported weights from before, to mix in.")
    ] = None,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of BLEND in the weights.")
    ] = 0.3,
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = BUNDLED,
    golden: Annotated[
        Path, typer.Option(help="Where the outputs go that the tests expect of them.")
    ] = Path("tests/golden/student.npz"),
) -> None:
    """Write a checkpoint's averaged weights, rounded to bfloat16, and the outputs that tests expect
    from them.
    """
    student = _read(trained)
    if blend:
        student = blended(_read(blend), student, 1 - share)
    round_weights(student)
    save(student, out)
    np.savez_compressed(golden, allow_pickle=False, **expected_outputs(load(out)))


def _read(path: Path) -> MattecamNetwork:
    return load(path) if path.suffix == ".safetensors" else averaged_student(path)


def averaged_student(
    checkpoint: Path, kind: type[MattecamNetwork] = MattecamNetwork
) -> MattecamNetwork:
    """Return the network of this kind with a checkpoint's averaged weights, in inference mode."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    prefix = "module."
    weights = {
        name.removeprefix(prefix): v
        for name, v in state["average"].items()
        if name.startswith(prefix)
    }
    learner = Learner(student=kind.for_weights(name.removeprefix("student.") for name in weights))
    learner.load_state_dict(weights)
    return learner.student.eval()


def blended(one: MattecamNetwork, other: MattecamNetwork, share: float) -> MattecamNetwork:
    """Return `other` with weights interpolated towards `one`; `share` is the weight of `other`.

    Averaging the weights of consecutive stretches often improves on both ("model soups", arXiv
    2203.05482). Where only `other` has wide layers at 1/2, `one` gets them first. Raises UsageError
    if they are of different layers.
    """
    one = widened(one) if other.detail1 is not None else one
    theirs = other.state_dict()
    if theirs.keys() != one.state_dict().keys():
        raise UsageError(
            "The weights to blend belong to different layers; blend weights of the same layers."
        )
    mixed = {
        k: v.lerp(theirs[k], share) if v.is_floating_point() else v
        for k, v in one.state_dict().items()
    }
    other.load_state_dict(mixed)
    return other


@torch.no_grad()
def expected_outputs(
    network: MattecamNetwork,
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Return fgr, pha and the states after three frames of a moving person."""
    state: tuple[torch.Tensor, ...] = network.initial_state(1, *SIZE)
    for t in range(3):
        fgr, pha, *rest = network(portrait(t), *state)
        state = tuple(rest)
    return {
        name: x.numpy()
        for name, x in zip(
            ("fgr", "pha", "r1", "r2", "r3", "seen", "decided"), (fgr, pha, *state), strict=True
        )
    }


def portrait(t: int) -> torch.Tensor:
    """Return a person, (1, 3, 90, 150) in 0..1 RGB, who moves with `t`."""
    photo = to_rgb(read_image(assets_dir() / "astronaut.png"))
    height, width = SIZE
    shown = round(photo.shape[1] * height / width)
    small = cv2.resize(photo[:shown], (width, height), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(
        np.roll(small, 3 * t, 1).astype(np.float32).transpose(2, 0, 1)[None] / 255
    )


if __name__ == "__main__":
    typer.run(main)
