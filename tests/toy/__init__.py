"""The smallest network, sink and source that the program can run: what a new one has to bring."""
