"""The settings of `convert`: what a film takes from the command line, a scene and the settings file."""

from __future__ import annotations

from app.cli.live_options import OPTIONS, LiveOptions
from app.cli.options import StartSettings, settings_from
from app.cli.terminal import notify
from app.core.messages.command_line import ConvertText

FILM_OPTIONS = (
    *(
        option.name
        for option in OPTIONS.values()
        if option.group in ("Background", "Person and framing", "Matting")
        and option.name not in ("engine", "server", "governor")
    ),
    *("overlay", "overlay_text", "config", "profile", "verbose"),
)
"""Names of the live options that films have too."""


def film_settings(options: LiveOptions) -> StartSettings:
    """Return the settings of a film: command line over scene over the file of --config; green without a background.

    Strict mode is off unless the command line asks for it: it hides people until they move. Raises UsageError.
    """
    if options.background is None and options.profile is None and options.config is None:
        options = options.replace(background="green")
    start = settings_from(options.replace(engine="local", strict=options.strict or "off"))
    zones = start.settings.people.zones
    if any(zone.camera for zone in zones):
        notify(ConvertText.OTHER_ZONES())
    return start
