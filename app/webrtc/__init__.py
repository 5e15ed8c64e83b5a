"""WebRTC: repairs of aiortc, the mark that identifies a frame, and the client of a matting server."""
