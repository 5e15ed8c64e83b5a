"""Cut the person out of a photo: python examples/photo.py photo.jpg cut-out.png"""

import sys

from mattecam import MattecamError, convert

source, target = sys.argv[1:]
try:
    convert(source, target, background="transparent", overwrite=True)
except MattecamError as error:
    sys.exit(str(error))
