"""Ways to run the frame step on a machine."""
