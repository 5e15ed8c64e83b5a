"""Measurements; docs/performance.md lists them."""
