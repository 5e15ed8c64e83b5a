"""Where frames come from: cameras, video files and the built-in demo view."""
