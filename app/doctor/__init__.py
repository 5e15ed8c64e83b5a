"""Checks of this machine: what the program needs, what is missing, and how to fix it."""
