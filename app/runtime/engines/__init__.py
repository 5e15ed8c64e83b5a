"""Which engine runs, at which quality, and whether its mattes are plausible."""
