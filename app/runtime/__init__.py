"""The running program: slots, workers, pacing, status and the pipeline that wires them."""
