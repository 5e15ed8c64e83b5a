"""The WebRTC service as a Ray Serve application: replicas on many machines behind one address."""
