"""Reading and writing video and image files."""
