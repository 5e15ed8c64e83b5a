"""The smallest network that the program can run: what a new network has to bring."""
