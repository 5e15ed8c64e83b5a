"""How long it takes to capture an empty-background plate with the running program."""

COUNTDOWN_S = 5.0
"""Time to step out of the frame."""
COLLECT_S = 3.0
"""Time in which frames are collected."""
