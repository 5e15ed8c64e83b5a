"""The WebRTC service beside the program: its server, the client of one, and the fleet."""
