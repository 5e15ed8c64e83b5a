"""Networks that see a plate, in OpenVINO: Mattecam's own, and Background Matting V2 (BGMv2)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage, Floats
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend, RefinedCells, padded
from app.matting.interface import StepGeometry
from app.matting.kernels.composite import cut_cells
from app.matting.kernels.network import shrink_rows
from app.matting.openvino.conversion import Arrays, Artefact, bound, compiled, fitted
from app.matting.openvino.openvino_backend import OpenVinoBackend, RecurrentNetwork
from app.matting.plate.picture import lit_plate
from app.matting.strict.cpu_strict import blurred
from models.exchange import CELL, CONTEXT_CHANNELS, IMAGE_CHANNELS, NEAR, OTHER, REACH, SAME, WINDOW

# Number of cells per batch, chosen so that their windows fit into the CPU cache.
AT_ONCE = 512


class PlateOpenVinoBackend(CpuBackend):
    """Runs BGMv2: the base network on the small frame, the refiner on cells of the largest error.

    The coarse matte is upsampled during compositing and overwritten by the refined cells, so that
    no full-size floating-point image is stored.
    """

    def __init__(
        self,
        artefact: Artefact,
        plate: BgrImage,
        scale: float,
        sample_pixels: int,
        precision: str,
    ) -> None:
        """Compile both networks for the plate's size.

        plate: (H, W, 3) uint8 BGR, same size as the frame. scale: of the base network's input, at
        most 1/2. sample_pixels: number of pixels to refine. Raises RuntimeError if OpenVINO cannot
        compile the networks.
        """
        self.scale = scale
        # Whole cells: the frame is padded at the right and at the bottom.
        rows = -(-plate.shape[0] // CELL)
        columns = -(-plate.shape[1] // CELL)
        height = rows * CELL
        width = columns * CELL
        geometry = StepGeometry(width, height, scale)
        super().__init__(geometry, precision)
        self._plate = padded(plate, width, height)
        self._lit = self._plate
        self._grid = (rows, columns)
        self._most_cells = min(sample_pixels // CELL**2, rows * columns)
        small = (1, 3, geometry.small_height, geometry.small_width)
        base, refiner = artefact.stages
        windows = {
            "context": (AT_ONCE, WINDOW, WINDOW, CONTEXT_CHANNELS),
            "images": (AT_ONCE, WINDOW, WINDOW, IMAGE_CHANNELS),
        }
        models, shapes = fitted(artefact, {"small": small, "small_plate": small, **windows})
        base_network, refiner_network = compiled(artefact.stages, models, precision, pinned=True)
        arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._small = arrays["small"]
        self._small_plate = arrays["small_plate"]
        self._contexts = arrays["context"]
        self._images = arrays["images"]
        self._base = bound(base, base_network, arrays, outputs=False)
        self._refiner = bound(refiner, refiner_network, arrays, outputs=False)
        self.set_gain(np.ones(3, np.float32))

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """Set the illumination gain, (3,) BGR, by which the plate is multiplied."""
        self._lit = lit_plate(self._plate, gain)
        self._shrink(self._lit, self._small_plate[0])

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Run both networks on the frame and the plate; they have no recurrent state."""
        frame = padded(frame, self._plate.shape[1], self._plate.shape[0])
        self._shrink(frame, self._small[0])
        self._base.infer()
        matte = self._base.get_output_tensor(0).data[0]
        error = self._base.get_output_tensor(1).data[0, 0]
        coarse = self._base.get_output_tensor(2).data[0]
        cells = self._most_wrong(error)
        refined = RefinedCells(cells, self._refine(frame, coarse, cells))
        # The matte is no function of the frame here: slopes are 0, and offsets all of it.
        alpha = matte[3].clip(0, 1)
        return Coefficients(self._small[0], np.zeros_like(matte), matte, alpha, refined)

    def _shrink(self, image: BgrImage, small: Floats) -> None:
        """Downsample into `small` (3, h, w), RGB in 0..1, as the network's own resizing does."""
        height, width = small.shape[1:]
        across = width / image.shape[1]
        down = height / image.shape[0]
        self.strips.run(height, shrink_rows, image, across, down, small)

    def _most_wrong(self, error: Floats) -> NDArray[np.int64]:
        """Return the sorted indices of the cells with the largest errors (h, w), all above 0."""
        rows, columns = self._grid
        if error.shape != self._grid:
            resized = cv2.resize(error, (columns, rows), interpolation=cv2.INTER_LINEAR)
            error = np.asarray(resized, np.float32)
        flat = error.ravel()
        chosen = np.arange(flat.size)
        left_out = flat.size - self._most_cells
        if left_out > 0:
            chosen = np.argpartition(flat, left_out)[left_out:]
        return np.sort(chosen[flat[chosen] > 0]).astype(np.int64, copy=False)

    def _refine(self, frame: BgrImage, coarse: Floats, cells: NDArray[np.int64]) -> Floats:
        """Run the refiner on the cells; return alpha and foreground residual, RGB, (N, 4, 4, 4)."""
        refined = np.empty((len(cells), CELL, CELL, 4), np.float32)
        for start in range(0, len(cells), AT_ONCE):
            part = cells[start : start + AT_ONCE]
            count = len(part)
            windows = (self._contexts, self._images)
            self.strips.run(count, cut_cells, frame, self._lit, coarse, part, *windows)
            self._refiner.infer()
            output = self._refiner.get_output_tensor(0).data
            refined[start : start + count] = output[:count]
        return refined


class SeenPlateNetwork(RecurrentNetwork):
    """Compares its input with the plate at the same size; `models.mattecam.network` explains it."""

    def set_plate(self, plate: Floats) -> None:
        """Compare with this plate (3, h, w), RGB in 0..1.

        What depends on it alone is computed once.
        """
        self._plate = plate
        self._maps = self.arrays["plate"][0]
        self._maps[:3] = plate
        smooth = [blurred(channel, 1) for channel in plate]
        around = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
        self._highest = np.stack([cv2.dilate(channel, around) for channel in smooth])
        self._lowest = np.stack([cv2.erode(channel, around) for channel in smooth])
        self._near = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)

    def infer(self, steady: bool = False) -> None:
        """Run the network on its input and what differs from the plate.

        Alpha becomes 0 where the input is the plate all around.
        """
        smooth = np.stack([blurred(channel, 1) for channel in self.small])
        away = np.maximum(smooth - self._highest, self._lowest - smooth).max(0)
        np.maximum(away, 0, out=away)
        self._maps[3] = away
        np.mean(np.abs(self.small - self._plate), axis=0, out=self._maps[4])
        super().infer(steady)
        near = np.asarray(cv2.dilate(away, self._near), np.float32)
        self.arrays["matte"][0, 3] *= np.clip((near - SAME) / (OTHER - SAME), 0, 1)


class SeenPlateBackend(OpenVinoBackend):
    """Runs a recurrent network on the whole frame and the plate at its small size.

    Implements `LitPlate`.
    """

    scale = None
    sees_gain = False

    def __init__(
        self,
        artefact: Artefact,
        plate: BgrImage,
        geometry: StepGeometry,
        precision: str,
    ) -> None:
        """Compile the artefact for this geometry.

        plate: (H, W, 3) uint8 BGR, of the size of the frame.

        Raises RuntimeError if OpenVINO fails to compile it.
        """
        super().__init__(artefact, geometry, precision, None, live=False)
        self._plate = plate
        self.set_gain(np.ones(3, np.float32))

    def make_network(self, width: int, *, for_any_size: bool = False) -> RecurrentNetwork:
        """See `OpenVinoBackend.make_network`."""
        part = StepGeometry(width, self._geometry.small_height, 1.0)
        self._network = SeenPlateNetwork(
            self._artefact, part, self.precision, self.strips, for_any_size=for_any_size
        )
        return self._network

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """Set the illumination gain, (3,) BGR, by which the plate is multiplied."""
        small = np.empty_like(self._network.small)
        ratio = self._geometry.ratio
        lit = lit_plate(self._plate, gain)
        self.strips.run(small.shape[1], shrink_rows, lit, ratio, ratio, small)
        self._network.set_plate(small)
