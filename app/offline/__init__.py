"""Offline conversion of videos and folders of images."""
