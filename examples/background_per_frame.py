"""Draw a background of your own for each frame: python examples/background_per_frame.py film.mp4
FOLDER

`want_foreground` gives the person's colours without the room in them; otherwise hair would shine in
its colour.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from mattecam import Matting

source, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(exist_ok=True)
film = cv2.VideoCapture(source)
with Matting() as matting:
    index = 0
    while True:
        read, frame = film.read()
        if not read:
            break
        matte = matting.step(np.asarray(frame, np.uint8), want_foreground=True)
        assert matte.foreground is not None
        background = np.zeros_like(frame)
        # A stripe that walks to the right.
        background[:, (10 * index) % frame.shape[1] :][:, :40] = (0, 160, 255)
        alpha = matte.alpha[..., None] / 255
        picture = alpha * matte.foreground + (1 - alpha) * background
        cv2.imwrite(str(folder / f"{index:06}.png"), picture.round().astype(np.uint8))
        index += 1
film.release()
print(f"{index} pictures in {folder}")
