"""Fuzz tests of all inputs: the default run takes a sample of the cases, `-m slow` runs all of them."""
