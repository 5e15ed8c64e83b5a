"""What stands behind the person: backgrounds and the stand-by card."""
