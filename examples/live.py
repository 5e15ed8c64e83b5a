"""Show a camera or a film with a new background in a window of OpenCV: python examples/live.py [0 | film.mp4] [FRAMES]

The packages of Mattecam hold an OpenCV without windows: there the last picture is written to
`live.png`.
"""

import sys
from contextlib import suppress

import cv2
import numpy as np

from mattecam import Matting

name = sys.argv[1] if len(sys.argv) > 1 else "0"
frames_left = int(sys.argv[2]) if len(sys.argv) > 2 else None
# A number is a camera, as in OpenCV.
camera = cv2.VideoCapture(int(name) if name.isdigit() else name)
picture = None
with Matting(background="#00b140") as matting:
    while frames_left != 0:
        read, frame = camera.read()
        if not read:
            break
        # The network knows the frames before: step takes each of them, in order.
        picture = matting.step(np.asarray(frame, np.uint8)).composite
        with suppress(cv2.error):
            cv2.imshow("Mattecam", picture)
            if cv2.waitKey(1) == 27:  # Escape
                break
        if frames_left is not None:
            frames_left -= 1
camera.release()
if picture is None:
    sys.exit(f"{name} gave no frame.")
cv2.imwrite("live.png", picture)
