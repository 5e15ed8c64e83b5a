"""The Python API of Mattecam.

Its names stay stable within a major version; everything else in the package is private.

`Matting` mattes one stream of frames; `convert` mattes a file. `docs/api.md` has examples.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattecam._api import *  # noqa: F403
    from mattecam._api import __all__ as __all__
else:

    def __getattr__(name: str) -> object:
        """Load the API when a name is used.

        Every command imports this package, and most need no network.
        """
        if name == "__all__" or not name.startswith("_"):
            from mattecam import _api

            if name == "__all__" or name in _api.__all__:
                return getattr(_api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        """Return the names of the API, which editors complete."""
        from mattecam import _api

        return list(_api.__all__)
