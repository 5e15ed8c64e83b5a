"""Small stand-ins for the parts of the pipeline, with switches for every fault."""
