"""Effects: what is done to the matte of a frame between the network and the composite."""
