"""Where people are in the frame, and what follows from it: auto-framing, zones, one selected person."""
