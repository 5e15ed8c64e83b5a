"""The frame step on a CPU: everything but the network."""

from app.matting.kernels.loading import load

load()  # before its modules import the kernels one by one, with garbage collections
