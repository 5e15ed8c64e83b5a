"""What server and client share: repairs and bounds of aiortc, the marks of frames, ICE servers, the token."""
