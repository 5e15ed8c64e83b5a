"""The client of a matting server: an engine whose network runs there, and the check of its mattes."""
