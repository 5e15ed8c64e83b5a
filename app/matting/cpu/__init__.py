"""The frame step on a CPU: everything but the network. An import loads the kernels; of two threads,
one waits.
"""

from app.core.compiling import loading

# Before the modules of this package import them one by one, with garbage collections.
with loading():
    from app.matting.kernels import composite, network  # noqa: F401
