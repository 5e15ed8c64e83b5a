"""Blur the background of a film, and tell how far it is: python examples/film.py talk.mp4
talk-blurred.mp4
"""

import sys

from mattecam import MattecamError, convert


def show(done: int, total: int | None) -> None:
    print(f"{done} of {total or '?'} frames", end="\r", flush=True)


source, target = sys.argv[1:]
try:
    report = convert(source, target, background="blur:80", progress=show, overwrite=True)
except MattecamError as error:
    sys.exit(str(error))
print(f"{report.frames} frames in {target}")
