"""How the command line explains itself: help in groups, and one sentence for each wrong usage."""
