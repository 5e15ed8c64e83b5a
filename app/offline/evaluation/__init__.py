"""Compares predicted mattes with reference ones."""
