"""Commands that take live options: typer reads options from a signature, which `LiveOptions` defines."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from app.cli.live_options import LiveOptions


def live_parameters(names: Sequence[str] | None = None) -> list[inspect.Parameter]:
    """Return the parameters of these live options; of all without names."""
    hints = get_type_hints(LiveOptions, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(LiveOptions)
        if names is None or field.name in names
    ]


def set_signature(command: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> None:
    """Let typer see these parameters of a command."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def with_live_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: the command's argument `live` becomes these live options of the command line."""

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(run, include_extras=True)
        own = [
            parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(run).parameters.items()
            if name != "live"
        ]

        def command(**values: Any) -> None:
            live = LiveOptions(**{name: values.pop(name) for name in names})
            run(live=live, **values)

        set_signature(command, [*own, *live_parameters(names)])
        command.__name__, command.__doc__ = run.__name__, run.__doc__
        return command

    return decorate
