"""Networks and their weights: torch, numpy and the standard library only."""
