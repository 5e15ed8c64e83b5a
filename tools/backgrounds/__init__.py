"""Paints the bundled backgrounds from numbers alone."""
