"""Quantize the bundled network to int8: `python -m training.quantize --clips FOLDER --pictures FOLDER --out FOLDER`.

Post-training quantization with NNCF (training/requirements-quantize.txt): int8 weights per channel, int8 activations in
convolutions. What computes the recurrent states stays in float32: quantized states saturate where something moves. The
result is an artefact as `app.matting.openvino_backend.artefact` reads it. A trial: the program does not use it yet; see
docs/training.md.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from app.matting.openvino_backend.artefact import Artefact, read_artefact
from app.matting.openvino_backend.conversion import convert
from app.matting.openvino_backend.runtime import core, ov
from models.student.bundled import BUNDLED
from training.view import filling

Arrays = list[NDArray[np.float32]]

WIDTH, HEIGHT = 320, 180
EVERY_NTH, PHOTO_STEPS = 8, 2
"""Every Nth frame of a clip is a sample, and each of the first steps over a photo, the first one with empty states."""
VALIDATION_CLIPS = ("asl_book", "asl_walk", "asl_yes")
FLOAT_BLOCKS = (
    "memory2",
    "memory3",
    "memory4",
    "project",
    "decode1",
    "decode2",
    "decode3",
    "reduce1",
    "encode1",
)
"""Parts that stay in float32."""


def main(
    clips: Annotated[Path, typer.Option(help="Folder with the training clips.")],
    pictures: Annotated[Path, typer.Option(help="Folder with training photos of people.")],
    out: Annotated[Path, typer.Option(help="New folder for the result.")],
    photos: Annotated[int, typer.Option(help="How many photos to use.")] = 250,
    weights: Annotated[Path, typer.Option(help="The weights to quantize.")] = BUNDLED,
) -> None:
    """Write the int8 version of the bundled network."""
    out.mkdir()
    convert("student", weights, "auto", False, out)
    artefact = read_artefact(out, in_memory=True)
    samples = [*_clip_samples(artefact, clips), *_photo_samples(artefact, pictures, photos)]
    random.Random(0).shuffle(samples)
    stage = artefact.stages[0]
    ov.save_model(quantized(stage.model, samples), out / f"{stage.name}.xml", compress_to_fp16=False)
    typer.echo(f"{len(samples)} samples, written to {out}", err=True)


def quantized(model: ov.Model, samples: list[Arrays]) -> ov.Model:
    """Return the model in int8. samples: inputs of the model."""
    import nncf

    def named(sample: Arrays) -> dict[str, NDArray[np.float32]]:
        return {port.any_name: array for port, array in zip(model.inputs, sample, strict=True)}

    result: ov.Model = nncf.quantize(
        model,
        nncf.Dataset(samples, named),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(samples),
        ignored_scope=nncf.IgnoredScope(
            patterns=[f".*{block}.*" for block in FLOAT_BLOCKS], names=_float_convolutions(model), validate=False
        ),
    )
    return result


def _float_convolutions(model: ov.Model) -> list[str]:
    """Return the convolutions of FLOAT_BLOCKS before a batch norm, which lost their names in the conversion."""
    return [
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Convolution"
        for target in node.output(0).get_target_inputs()
        if any(block in target.get_node().get_friendly_name() for block in FLOAT_BLOCKS)
    ]


def _stream(artefact: Artefact, frames: Iterator[NDArray[np.uint8]]) -> Iterator[Arrays]:
    """Yield the inputs of each step of the float network over a stream of BGR frames."""
    stage = artefact.stages[0]
    shapes = [(1, 3, HEIGHT, WIDTH), *artefact.state_shapes(HEIGHT, WIDTH)]
    model = stage.model.clone()
    model.reshape({port: list(shape) for port, shape in zip(model.inputs, shapes, strict=True)})
    request = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    states = [np.zeros(shape, np.float32) for shape in shapes[1:]]
    for frame in frames:
        image = filling(frame, (WIDTH, HEIGHT))[..., ::-1].transpose(2, 0, 1)[None]
        inputs = [np.ascontiguousarray(image, np.float32) / np.float32(255), *states]
        outputs = request.infer(inputs)
        yield inputs
        states = [outputs[index + 1].copy() for index in range(len(states))]


def _clip_samples(artefact: Artefact, folder: Path) -> Iterator[Arrays]:
    for path in sorted(folder.iterdir()):
        if path.stem not in VALIDATION_CLIPS:
            for index, inputs in enumerate(_stream(artefact, _frames(path))):
                if index % EVERY_NTH == 0:
                    yield inputs


def _photo_samples(artefact: Artefact, folder: Path, count: int) -> Iterator[Arrays]:
    paths = sorted(folder.rglob("*.jpg"))
    random.Random(0).shuffle(paths)
    for path in paths[:count]:
        image = cv2.imread(str(path))
        if image is not None:
            yield from _stream(artefact, iter([np.asarray(image, np.uint8)] * PHOTO_STEPS))


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(path))
    while True:
        more, frame = video.read()
        if not more:
            return
        yield np.asarray(frame, np.uint8)


if __name__ == "__main__":
    typer.run(main)
