"""Tests of the light controls."""
