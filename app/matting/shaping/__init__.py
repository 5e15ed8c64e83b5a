"""Applies a `Shape` (`app.core.shaping`) between the network and the composite."""
