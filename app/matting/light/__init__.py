"""Light controls: match the person's light to the backdrop, and portrait light."""
