"""The frame step in torch: the arithmetic that every backend must match."""
