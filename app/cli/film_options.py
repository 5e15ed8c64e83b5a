"""The settings of `convert`: what a film takes from the command line, a scene and the settings file."""

from __future__ import annotations

from dataclasses import replace

from app.cli.live_options import LiveOptions
from app.cli.options import StartSettings, settings_from
from app.cli.terminal import notify
from app.core.messages.command_line import ConvertText

FILM_OPTIONS = (
    "background",
    "background_fit",
    "background_zoom",
    "background_pan",
    "slide",
    "parallax",
    "distance_blur",
    "zoom",
    "pan",
    "place",
    "auto_framing",
    "only_me",
    "zones",
    "strict",
    "region",
    "light_match",
    "light_wrap",
    "portrait_light",
    "overlay",
    "overlay_text",
    "model",
    "weights",
    "refiner",
    "plate",
    "device",
    "executor",
    "precision",
    "downsample_ratio",
    "config",
    "profile",
    "verbose",
)
"""Names of the live options that films have too."""


def film_settings(options: LiveOptions) -> StartSettings:
    """Return the settings of a film: command line over scene over the file of --config; green without a background.

    Strict mode is off unless the command line asks for it: it hides people until they move. Raises UsageError.
    """
    if options.background is None and options.profile is None and options.config is None:
        options = replace(options, background="green")
    start = settings_from(replace(options, engine="local", strict=options.strict or "off"))
    zones = start.settings.people.zones
    if any(zone.camera for zone in zones):
        notify(ConvertText.OTHER_ZONES())
    return start
