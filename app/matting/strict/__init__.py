"""Strict mode: keeps what is attached to a person and removes everything else from the matte."""
