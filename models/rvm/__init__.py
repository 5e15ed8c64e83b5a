"""Robust Video Matting (arXiv 2108.11515): a recurrent network for human video matting."""
