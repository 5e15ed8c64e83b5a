"""Fuzz tests of all inputs."""
