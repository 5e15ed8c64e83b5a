"""Conversion of many clips: jobs, workers, manifest. Each clip is one job that runs on one worker."""
