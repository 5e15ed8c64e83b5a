"""Motion of a layer in a synthetic sequence: affine maps that drift, sway, stop and reverse."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True)
class Placement:
    """Placement of a source image in the frame: the source's anchor point is mapped to `centre`."""

    anchor: tuple[float, float]
    """(x, y) in pixels of the source."""
    centre: tuple[float, float]
    """(x, y) in pixels of the frame."""
    scale: tuple[float, float]
    """Frame pixels per source pixel (x, y)."""
    turn: float = 0.0
    """Degrees, counter-clockwise."""
    mirrored: bool = False

    def matrix(self) -> Floats:
        """Return the 2x3 map from source to frame coordinates."""
        angle = np.deg2rad(self.turn)
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        sx = -self.scale[0] if self.mirrored else self.scale[0]
        linear = rotation @ np.diag([sx, self.scale[1]])
        shift = np.asarray(self.centre) - linear @ np.asarray(self.anchor)
        return np.concatenate([linear, shift[:, None]], 1)


def random_path(rng: Rng, frames: int, size: tuple[int, int], speed: float) -> list[Floats]:
    """Return a 3x3 map of frame coordinates for each frame, the identity for the first; `size` is
    (width, height).

    speed: usual shift per frame as a fraction of the width. One path in three is static; others
    stop or reverse half-way.
    """
    still = [np.eye(3)] * frames
    if frames == 1 or rng.random() < 0.33:
        return still
    width, height = size
    shift = rng.normal(0, speed * width, 2) * (1, 0.5)
    zoom, turn = rng.normal(0, speed * 0.6), rng.normal(0, np.rad2deg(speed) * 0.5)
    shake = abs(rng.normal(0, 0.4)) * (rng.random() < 0.3)
    change = rng.integers(1, frames) if rng.random() < 0.3 else frames
    after = rng.choice([0.0, -1.0])
    path, time = [], 0.0
    for t in range(frames):
        jitter = rng.normal(0, shake, 2) if t else np.zeros(2)
        scale = np.exp(zoom * time)
        angle = np.deg2rad(turn * time)
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        dx, dy = shift * time + jitter
        cx, cy = width / 2, height / 2
        path.append(
            np.array(
                [[c, -s, cx - c * cx + s * cy + dx], [s, c, cy - s * cx - c * cy + dy], [0, 0, 1]]
            )
        )
        time += 1.0 if t + 1 < change else after
    return path


def warp_all(
    layers: Pixels,
    matrix: Floats,
    path: list[Floats],
    size: tuple[int, int],
    border: int,
    fill: int = 0,
) -> list[Pixels]:
    """Return the source (H, W, 3, 4 or 7) warped into each frame, (h, w, same); `size` is (width,
    height).

    With a constant `border`, pixels outside the source are `fill` in the first three channels and 0
    in the others. A source that is minified strongly is downsampled by area first, to prevent
    aliasing.
    """
    pieces = (layers[..., :3], layers[..., 3:]) if layers.shape[2] > 4 else (layers,)
    parts = [np.ascontiguousarray(piece) for piece in pieces]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.7:
        height, width = layers.shape[:2]
        small = max(2, round(width * scale)), max(2, round(height * scale))
        fx, fy = small[0] / width, small[1] / height
        parts = [
            np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
            for part in parts
        ]
        # Pixel centres: x_small = (x + 1/2) * f - 1/2.
        matrix = matrix @ np.array(
            [[1 / fx, 0, 0.5 / fx - 0.5], [0, 1 / fy, 0.5 / fy - 0.5], [0, 0, 1]]
        )
    images = []
    for step in path:
        full = (step @ np.vstack([matrix, [0, 0, 1]]))[:2]
        warped = [
            cv2.warpAffine(
                part,
                full,
                size,
                flags=cv2.INTER_LINEAR,
                borderMode=border,
                borderValue=(value,) * 4,
            )
            for part, value in zip(parts, (fill, 0), strict=False)
        ]
        images.append(np.concatenate(warped, 2).astype(np.uint8))
    return images
