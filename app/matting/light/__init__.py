"""Light controls: match the person's light to the backdrop, light wrap at the rim, portrait light."""
