"""Threads: their names, their number, their turns, and a clock that goes on during a suspension."""
