"""Where frames come from: cameras, video files and the built-in demo view."""

from app.capture.table import SourceName, SourceOpener, parse_source, source_device, source_file

__all__ = ["SourceName", "SourceOpener", "parse_source", "source_device", "source_file"]
