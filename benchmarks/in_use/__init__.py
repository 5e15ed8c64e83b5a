"""Benchmark of the program as it is used, with preview, virtual camera and recording."""
