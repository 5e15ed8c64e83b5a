"""Changes of the settings that are answered after they took effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from app.control.commands import JsonValue
from app.control.confirmation import Confirmation
from app.core.errors import MattecamError
from app.core.settings import Settings

Update = Callable[[Settings], Settings]


class CommandError(MattecamError):
    """A command was executed without the requested effect."""


class _ChangedMeanwhileError(Exception):
    """A section of the settings is no longer the one that a new value was derived from."""


class Changes:
    """Changes the settings and waits for the effect. Thread-safe if its callables are."""

    def __init__(
        self,
        change: Callable[[Update], Settings],
        settings: Callable[[], Settings],
        status_fields: Callable[[], Mapping[str, JsonValue]],
        confirmation: Confirmation,
    ) -> None:
        """Take the callables of `SettingsController`."""
        self.apply = change
        """Replaces the settings atomically by `update(settings)` and returns the new ones."""
        self.confirmation = confirmation
        self.settings = settings
        """Returns the settings in force."""
        self.status = status_fields
        """Returns the fields of the status."""

    def follow(self, update: Update, sections: Sequence[str], *stages: str) -> tuple[Settings, bool]:
        """Change the settings and wait until the workers follow; return the settings and whether they are in use.

        If one of `stages` then has a problem, restore `sections` and raise CommandError with that problem.
        """
        before = after = self.settings()

        def tracked(settings: Settings) -> Settings:
            nonlocal before, after
            before, after = settings, update(settings)
            return after

        self.apply(tracked)
        # Frames of the previous source may still be on their way.
        waits = 2 if "capture" in sections else 1
        if not all(self.confirmation.wait_until_settled() for _ in range(waits)):
            return after, False
        problem = self.problem(*(each for each in stages if (each, after.background.kind) != ("background", "none")))
        if problem is not None:
            self._restore(sections, before, after)
            raise CommandError(problem)
        return after, True

    def follow_section(self, section: str, new: Callable[[Any], Any], *stages: str) -> tuple[Settings, bool]:
        """Replace a section by `new` of the one in force, as `follow` does.

        new: may read files. It runs without the lock of the settings, so that a slow disk delays no other command, and
        again if the section has changed meanwhile.
        """
        while True:
            present = getattr(self.settings(), section)
            try:
                return self.follow(partial(_replaced, section, present, new(present)), (section,), *stages)
            except _ChangedMeanwhileError:
                continue

    def _restore(self, sections: Sequence[str], before: Settings, after: Settings) -> None:
        """Take back what has not been changed again meanwhile."""

        def update(now: Settings) -> Settings:
            restored = {name: getattr(before, name) for name in sections if getattr(now, name) == getattr(after, name)}
            if before.background.kind == "none":  # a failure must not expose the room again
                restored.pop("background", None)
            return now.replace(**restored)

        self.apply(update)

    def problem(self, *stages: str) -> str | None:
        """Return the newest problem of these parts of the program, None if they work."""
        problems = self.status()["problems"]
        assert isinstance(problems, Sequence)
        found = [str(p["message"]) for p in problems if isinstance(p, Mapping) and p["stage"] in stages]
        return found[-1] if found else None


def _replaced(section: str, known: object, new: object, settings: Settings) -> Settings:
    if getattr(settings, section) != known:
        raise _ChangedMeanwhileError
    return settings.replace(**{section: new})
