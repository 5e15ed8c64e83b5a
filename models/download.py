"""Downloading published weights: resumable, verified and moved into place atomically.

Weights are downloaded only at the user's request, never as a side effect of importing or running a model.
"""

from __future__ import annotations

import errno
import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pooch

from models.faults import WeightsFault
from models.table import WeightSpec
from models.weights import (
    DownloadError,
    fetched_conversions,
    hash_record,
    missing_conversions,
    recorded_sha256,
    sha256_of,
    spec_of,
    user_folder,
)

log = logging.getLogger(__name__)
Progress = Callable[[int, "int | None"], None]
"""Called with the bytes received and the total, None if unknown; may raise to cancel the download."""

TIMEOUT_S = 30.0
MAX_BYTES = 1_000_000_000
"""Limit for weights whose size is not published."""


class TooLargeError(OSError):
    """The server sends more bytes than the file has."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class _Response(Protocol):
    """The used part of `requests.Response`."""

    status_code: int
    url: str
    headers: Mapping[str, str]


def ignore_progress(done: int, total: int | None) -> None:
    """Do nothing: the default progress callback."""


def download(name: str, progress: Progress = ignore_progress, *, again: bool = False) -> Path:
    """Download a model's weights to the user's folder unless they are there, and return the file.

    again: download them in any case. An interrupted download is resumed. An existing file is replaced only by a
    verified one. Raises DownloadError, or WeightsNotFoundError for an unknown name.
    """
    spec = spec_of(name)
    if spec.url is None:
        raise DownloadError(WeightsFault.BUNDLED, model=name)
    target = user_folder() / spec.file
    if again or not target.is_file() or sha256_of(target) != (spec.sha256 or recorded_sha256(target)):
        fetch(spec, spec.url, target, progress)
    _fetch_converted(name, progress)
    return target


def install(name: str, file: Path) -> Path:
    """Copy a model's weights from a file that was downloaded elsewhere to the user's folder, and return the copy.

    Raises DownloadError if it is not the published file, or WeightsNotFoundError for an unknown name.
    """
    spec = spec_of(name)
    if spec.url is None:
        raise DownloadError(WeightsFault.BUNDLED, model=name)
    target = user_folder() / spec.file
    part = target.with_name(f"{target.name}.part")
    expected = spec.sha256 or recorded_sha256(target)
    if expected not in (None, sha256_of(file)) or spec.bytes not in (None, file.stat().st_size):
        raise DownloadError(WeightsFault.OTHER_FILE, file=file, model=name, published=spec.file)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _failure(spec, target, error) from error
    _keep(spec, part, target, _checked(spec, part, expected))
    return target


def _fetch_converted(name: str, progress: Progress) -> None:
    """Download what a package without PyTorch needs beside the weights of a network."""
    spec = missing_conversions(name)
    if spec is not None and spec.url is not None:
        archive = user_folder() / "converted" / spec.file
        fetch(spec, spec.url, archive, progress)
        try:
            _unpack(archive, spec)
        except OSError as error:
            raise _failure(spec, archive, error) from error


def _unpack(archive: Path, spec: WeightSpec) -> None:
    """Put the content of a verified archive into place of an earlier one, and delete the archive. Raises OSError."""
    target = fetched_conversions(spec)
    new = target.with_name("new")
    shutil.rmtree(target.parent, ignore_errors=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(new)
    new.replace(target)
    archive.unlink()


def fetch(spec: WeightSpec, url: str, target: Path, progress: Progress = ignore_progress) -> None:
    """Download `url` to `target` through `target`.part and verify it against `spec`. Raises DownloadError."""
    log.info("The download of %s from %s begins.", spec.name, url)
    try:
        _fetch(spec, url, target, progress)
    except DownloadError as error:
        log.info("The download of %s failed: %s", spec.name, error)
        raise
    except BaseException:
        log.info("The download of %s was stopped.", spec.name)
        raise
    log.info("The download of %s is done: %s, %d bytes.", spec.name, target.name, target.stat().st_size)


def _fetch(spec: WeightSpec, url: str, target: Path, progress: Progress) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _Transfer(url, part, spec.bytes, progress).run()
        digest = _checked(spec, part, spec.sha256 or recorded_sha256(target))
        _keep(spec, part, target, digest)
    except OSError as error:  # exceptions of requests are OSErrors
        raise _failure(spec, target, error) from error
    except ValueError as error:  # a length or an address in the answer that is none
        raise DownloadError(WeightsFault.NO_CONNECTION, model=spec.name, url=spec.url) from error
    finally:
        if part.is_file() and part.stat().st_size == 0:  # nothing that a next download could resume
            part.unlink()


def _keep(spec: WeightSpec, part: Path, target: Path, digest: str) -> None:
    """Move a verified file into place. Raises OSError."""
    if spec.sha256 is None:
        hash_record(target).write_text(f"{digest}  {target.name}\n", encoding="ascii")
    part.replace(target)


def _checked(spec: WeightSpec, part: Path, expected: str | None) -> str:
    digest = sha256_of(part)
    if expected is not None and digest != expected:
        part.unlink()
        model, found, expected = spec.name, digest[:12], expected[:12]
        if spec.sha256 is None:
            raise DownloadError(WeightsFault.NOT_AS_BEFORE, model=model, found=found, expected=expected)
        name, folder = spec.file, part.parent
        raise DownloadError(
            WeightsFault.NOT_PUBLISHED, model=model, found=found, expected=expected, name=name, folder=folder
        )
    return digest


def _failure(spec: WeightSpec, target: Path, error: OSError) -> DownloadError:
    if error.errno == errno.ENOSPC:
        return DownloadError(WeightsFault.DISK_FULL, model=spec.name, folder=target.parent)
    if error.filename is not None:
        return DownloadError(WeightsFault.NOT_WRITABLE, file=error.filename)
    if isinstance(error, TooLargeError):
        return DownloadError(WeightsFault.TOO_LARGE, model=spec.name, limit=error.limit, url=spec.url)
    if (status := _status(error)) is not None:
        return DownloadError(WeightsFault.HTTP_STATUS, model=spec.name, status=status, url=spec.url)
    return DownloadError(WeightsFault.NO_CONNECTION, model=spec.name, url=spec.url)


def _status(error: OSError) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


class _Transfer:
    """Resumable HTTP transfer into a `.part` file; also serves as pooch's progress bar."""

    def __init__(self, url: str, part: Path, size: int | None, progress: Progress) -> None:
        self._url = url
        self._part = part
        self._size = size
        self._progress = progress
        self._start = 0
        self.total = 0
        """Bytes of this response, set by pooch; 0 if the server does not tell."""

    def run(self) -> None:
        """Return once the whole file has been received. Raises OSError."""
        self._start = self._part.stat().st_size if self._part.exists() else 0
        if self._size is not None and self._start == self._size:
            return
        try:
            self._transfer()
        except TooLargeError:
            self._part.unlink()
            raise
        except OSError as error:
            if _status(error) != 416:  # Range Not Satisfiable: the partial file is not a prefix of this file
                raise
            self._part.unlink()
            self._start = 0
            self._transfer()

    def _transfer(self) -> None:
        with self._part.open("ab") as self._file:
            headers = {"Range": f"bytes={self._start}-"} if self._start else {}
            # no compressed transfer: sizes must match those of the file
            headers["Accept-Encoding"] = "identity"
            hooks = {"response": self._on_response}
            pooch.HTTPDownloader(progressbar=self, chunk_size=1 << 18, timeout=TIMEOUT_S, headers=headers, hooks=hooks)(
                self._url, self._file, None
            )
        if self.total and self._part.stat().st_size != self._start + self.total:
            raise ConnectionError("the transfer ended early")

    def _on_response(self, response: _Response, **_: object) -> None:
        if self._url.startswith("https:") and not response.url.startswith("https:"):
            raise ConnectionError("the server redirects to an address without encryption")
        # Whose hash is not published would be kept as the file, and its hash recorded.
        if response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html"):
            raise ConnectionError("the server sends a page in place of the file, such as that its quota is used up")
        if self._start and response.status_code == 200:  # the server does not support resuming: it sends the whole file
            self._file.truncate(0)
            self._start = 0

    def update(self, _: int) -> None:
        """Report the bytes that pooch has written. Raises TooLargeError once they are more than the file has."""
        written, total = self._file.tell(), self._start + self.total if self.total else None
        limit = self._size or MAX_BYTES
        if max(written, total or 0) > limit:
            raise TooLargeError(limit)
        self._progress(written, total)

    def reset(self) -> None:
        """Do nothing: the position in the file is counted."""

    def close(self) -> None:
        """Do nothing."""
