"""Preparation for this machine, once after installation."""
