"""Parts for tests, of this program and of those that use its API, which import them from `mattecam.testing`."""
