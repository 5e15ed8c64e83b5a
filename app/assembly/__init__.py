"""Puts people, background and engine together into one picture, for the live pipeline and for films."""
