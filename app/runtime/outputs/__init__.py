"""What leaves: the privacy gate, the output clock, sinks and stand-by cards."""
