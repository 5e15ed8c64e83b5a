"""The frame step on a CPU: everything but the network."""
