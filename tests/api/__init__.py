"""Tests of `mattecam`."""
