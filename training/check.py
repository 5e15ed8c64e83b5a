"""Quick validation of the student on people it was never trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models.mattecam.network import MattecamNetwork
from training.store import Entry, Pack
from training.view import filling

Pixels = npt.NDArray[np.uint8]
Alphas = npt.NDArray[np.float32]

_PHOTOS = 160
_CLIP_STRIDE = 12
_BATCH = 16


def quick_check(
    student: MattecamNetwork, cache: Path, size: tuple[int, int], device: torch.device
) -> dict[str, float]:
    """Return MAD and IoU at 0.5 on validation photos and clip frames, and the mean alpha of empty
    rooms.

    Each image is a sequence of one frame of `size` (width, height). The reference is the teacher's
    alpha.
    """
    views, clips, rooms = Pack(cache / "views"), Pack(cache / "clips"), Pack(cache / "backgrounds")
    photos = [e for e in views.entries if e.validation][:_PHOTOS]
    frames = [e for e in clips.entries if e.validation][::_CLIP_STRIDE]
    empty = [e for e in rooms.entries if e.validation][:: max(1, len(photos) // 48)]
    was_training = student.training
    student.eval()
    photo_mad, photo_iou = _compare(student, views, photos, size, device)
    clip_mad, clip_iou = _compare(student, clips, frames, size, device)
    room_images = [filling(rooms.pixels(e), size) for e in empty]
    alphas = _alphas(student, room_images, device)
    student.train(was_training)
    return {
        "photo_mad": photo_mad,
        "photo_iou": photo_iou,
        "clip_mad": clip_mad,
        "clip_iou": clip_iou,
        "empty": float(alphas.mean()) if len(alphas) else 0.0,
    }


def predictions(
    student: MattecamNetwork,
    pack: Pack,
    entries: list[Entry],
    size: tuple[int, int],
    device: torch.device,
) -> tuple[Alphas, Alphas]:
    """Return the student's and the teacher's alphas of the entries, float32 (N, H, W) in 0..1."""
    framed = [filling(pack.pixels(e)[..., [0, 1, 2, 6]], size) for e in entries]
    true = np.stack([layers[..., 3] for layers in framed]).astype(np.float32) / np.float32(255)
    return _alphas(student, [layers[..., :3] for layers in framed], device), true


def _compare(
    student: MattecamNetwork,
    pack: Pack,
    entries: list[Entry],
    size: tuple[int, int],
    device: torch.device,
) -> tuple[float, float]:
    if not entries:
        return 0.0, 1.0
    pred, true = predictions(student, pack, entries, size, device)
    both = ((pred > 0.5) & (true > 0.5)).sum((1, 2))
    either = ((pred > 0.5) | (true > 0.5)).sum((1, 2))
    return float(np.abs(pred - true).mean()) * 1e3, float((both / np.maximum(either, 1)).mean())


@torch.no_grad()
def _alphas(
    student: MattecamNetwork, images: list[Pixels], device: torch.device
) -> npt.NDArray[np.float32]:
    parts = []
    for i in range(0, len(images), _BATCH):
        batch = (
            torch.from_numpy(np.stack(images[i : i + _BATCH]))
            .to(device)
            .permute(0, 3, 1, 2)
            .float()
            / 255
        )
        _, pha, *_ = student(batch)
        parts.append(pha[:, 0].cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, 1, 1), np.float32)
