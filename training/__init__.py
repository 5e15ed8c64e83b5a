"""Training and evaluation of matting networks: losses, metrics, data, the teacher's cache and the
trainer.
"""

import importlib.util
import sys

if importlib.util.find_spec("torch") is None:
    sys.exit(
        "training needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources "
        "for it."
    )
