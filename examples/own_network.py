"""Use a network of your own for a film: python examples/own_network.py film.mp4 target.mp4

Whatever makes a matte, its pictures can take the place of the network's: Mattecam composites, keeps
times and sound. Here a threshold of brightness stands for the network.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mattecam import MattecamError, convert


def matte_of(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the matte of a frame, (height, width) uint8: 0 for the background, 255 for the person."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return np.where(grey > 128, 255, 0).astype(np.uint8)


source, target = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    film = cv2.VideoCapture(source)
    index = 0
    while True:
        read, frame = film.read()
        if not read:
            break
        cv2.imwrite(str(Path(folder) / f"{index:06}.png"), matte_of(np.asarray(frame, np.uint8)))
        index += 1
    film.release()
    try:
        convert(source, target, matte=folder, background="#203040", overwrite=True)
    except MattecamError as error:
        sys.exit(str(error))
print(f"{index} frames in {target}")
