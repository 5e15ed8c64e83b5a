"""Builds what people install: a relocatable tree, and packages made of it (docs/packages.md)."""
