"""Downloading published weights: resumable, verified and moved into place atomically.

Weights are downloaded at the user's request and, unless it is declined, once during the set-up;
never as a side effect of importing or running a model. `python -m models.download` is the step of
the set-up.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import requests

from models.errors import DownloadError, WrongFileError
from models.program import NO_MODELS, NO_MODELS_OPTION, NoHomeError, program_command
from models.table import NETWORKS, WeightSpec, recommended
from models.weights import hash_record, on_hand, recorded_sha256, sha256_of, user_folder

log = logging.getLogger(__name__)
# Called with the bytes received and the total, None if unknown.
Progress = Callable[[int, "int | None"], None]
# Raises to cancel the download. Called before anything is written: what was cancelled while it
# waited for the server changes no file any more, which a new download may have begun.
Check = Callable[[], object]

TIMEOUT_S = 30.0
# Limit for weights whose size is not published.
MAX_BYTES = 1_000_000_000
_BLOCK_BYTES = 1 << 18
WINDOWS: bool = sys.platform == "win32"
# How long another program may have the file open that is replaced, as virus scanners have
# on Windows.
HELD_S = 2.0
_HELD_POLL_S = 0.02


def ignore_progress(done: int, total: int | None) -> None:
    """Do nothing: the default progress callback."""


def never_cancel() -> None:
    """Do nothing: the default check."""


def download(
    name: str,
    progress: Progress = ignore_progress,
    *,
    check: Check = never_cancel,
    again: bool = False,
) -> Path:
    """Download a model's weights to the user's folder unless they are there, and return the file.

    check: cancels it. again: download them in any case. An interrupted download is resumed. An
    existing file is replaced only by a verified one. Raises DownloadError.
    """
    spec, url = _published(name)
    target = user_folder() / spec.file
    if again or not _is_intact(spec, target):
        fetch(spec, url, target, progress, check)
    return target


def _is_intact(spec: WeightSpec, target: Path) -> bool:
    if not target.is_file():
        return False
    expected = spec.sha256 or recorded_sha256(target)
    return sha256_of(target) == expected


def install(name: str, file: Path) -> Path:
    """Copy a model's weights from a file that was downloaded elsewhere to the user's folder, and
    return the copy.

    Raises DownloadError if it is not the published file.
    """
    spec, _ = _published(name)
    target = user_folder() / spec.file
    # Apart from what a download has begun.
    part = target.with_name(f"{target.name}.copy")
    expected_sha256 = spec.sha256 or recorded_sha256(target)
    has_content = expected_sha256 in (None, sha256_of(file))
    has_size = spec.bytes in (None, file.stat().st_size)
    if not has_content or not has_size:
        raise DownloadError(
            "The file {file} differs from the published file (checksum); download {published} of "
            "{model} again or choose another file.",
            file=file,
            model=name,
            published=spec.file,
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        _keep(spec, part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _failure(spec, target, error) from error
    return target


def _published(name: str) -> tuple[WeightSpec, str]:
    """Return the entry of a model and its address.

    Raises DownloadError if it ships with the program.
    """
    spec = NETWORKS[name].weights
    if spec.url is None:
        raise DownloadError(
            "The weights of {model} are part of the program and are not downloaded.",
            model=name,
        )
    return spec, spec.url


def fetch(
    spec: WeightSpec,
    url: str,
    target: Path,
    progress: Progress = ignore_progress,
    check: Check = never_cancel,
) -> None:
    """Download `url` to `target` through `target`.part and verify it against `spec`.

    Raises DownloadError.
    """
    log.info("The download of %s from %s begins.", spec.name, url)
    part = target.with_name(f"{target.name}.part")
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _transfer(url, part, spec.bytes, progress, check)
            check()
            _keep(spec, part, target)
        except (OSError, ValueError) as error:
            # ValueError: a length or an address in the answer that is none.
            raise _failure(spec, target, error) from error
    except DownloadError as error:
        log.info("The download of %s failed: %s", spec.name, error)
        raise
    except BaseException:
        log.info("The download of %s was stopped.", spec.name)
        raise
    log.info(
        "The download of %s is done: %s, %d bytes.",
        spec.name,
        target.name,
        target.stat().st_size,
    )


def _transfer(url: str, part: Path, size: int | None, progress: Progress, check: Check) -> None:
    """Receive the rest of a file into `part`.

    size: in bytes, if published. Raises OSError or ValueError.
    """
    done = part.stat().st_size if part.exists() else 0
    if done and done == size:
        return
    # No compressed transfer: sizes must match those of the file.
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if url.startswith("https:") and not answer.url.startswith("https:"):
            raise ConnectionError("the server redirects to an address without encryption")
        check()
        if answer.status_code == 416 and done:
            # The partial file is not a prefix of this file.
            part.unlink()
            _transfer(url, part, size, progress, check)
            return
        answer.raise_for_status()
        if answer.status_code == 200:
            # A page would be kept as the weights if their hash is not published, and its own hash
            # recorded.
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                raise ConnectionError(
                    "the server sends a page in place of the file, such as that its quota is used "
                    "up",
                )
            # The server sends the whole file, also where it should resume.
            done = 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        limit = size or MAX_BYTES
        if not done:
            part.unlink(missing_ok=True)
        with _appending(part) as file:
            for block in answer.iter_content(_BLOCK_BYTES):
                done += len(block)
                if max(done, total or 0) > limit:
                    break
                check()
                file.write(block)
                file.flush()
                if file.tell() != done:
                    # Another program has written to the end as well.
                    break
                progress(done, total)
    if max(done, total or 0) > limit:
        part.unlink(missing_ok=True)
        raise ConnectionError(f"the server sends more than {limit} bytes")
    if not part.exists() or part.stat().st_size != done:
        # Its hash may be unknown: what two programs have mixed must not be trusted.
        part.unlink(missing_ok=True)
        raise ConnectionError("another program downloads the same file")
    if total is not None and done != total:
        raise ConnectionError("the transfer ended early")


@contextmanager
def _appending(part: Path) -> Iterator[BinaryIO]:
    """Open a file to append to, and remove it if it is empty then: there is nothing that a next
    download could resume.

    Not if another download has put one of its own there meanwhile.
    """
    with part.open("ab") as file:
        try:
            yield file
        finally:
            is_empty = file.tell() == 0
            is_own = part.exists() and os.path.samestat(os.fstat(file.fileno()), part.stat())
            file.close()
            if is_empty and is_own:
                part.unlink(missing_ok=True)


def _keep(spec: WeightSpec, part: Path, target: Path) -> None:
    """Verify a file and move it into place.

    Raises OSError, or DownloadError if it is not the published one.
    """
    expected = spec.sha256 or recorded_sha256(target)
    found = sha256_of(part)
    if expected not in (None, found):
        part.unlink()
        raise WrongFileError(
            "The file downloaded for {model} differs from the published file, or the one "
            "downloaded first (checksum {found}… in place of {expected}…), and was deleted; try "
            "again later, or save a trusted copy as {name} in the folder {folder}.",
            model=spec.name,
            found=found[:12],
            expected=str(expected)[:12],
            name=spec.file,
            folder=part.parent,
        )
    if spec.sha256 is None:
        hash_record(target).write_text(f"{found}  {target.name}\n", encoding="ascii")
    _replace(part, target)


def _replace(part: Path, target: Path) -> None:
    """Move a file into place. Raises OSError.

    Windows refuses that while a program has one of both open. As `app.core.files.when_closed`,
    which is not here: `models` runs without `app`, and this is its only file that is replaced.
    """
    deadline_s = time.monotonic() + HELD_S
    while True:
        try:
            part.replace(target)
        except PermissionError:  # noqa: PERF203 - each try is refused or done
            if not WINDOWS or time.monotonic() >= deadline_s:
                raise
            time.sleep(_HELD_POLL_S)
        else:
            return


def _failure(spec: WeightSpec, target: Path, error: OSError | ValueError) -> DownloadError:
    model = spec.name
    url = spec.url
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DownloadError(
            "The disk is full while downloading {model} to {folder}; free some space and try again.",
            model=model,
            folder=target.parent,
        )
    if WINDOWS and isinstance(error, PermissionError) and error.filename2 is not None:
        return DownloadError(
            "The file {file} cannot be replaced: a program has it open, or its folder is not "
            "writable; end that program and try again.",
            file=error.filename2,
        )
    if isinstance(error, OSError) and error.filename is not None:
        return DownloadError(
            "The file {file} cannot be written; make its folder writable and try again.",
            file=error.filename,
        )
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return DownloadError(
            "The weights of {model} could not be downloaded (HTTP status {status}). Try again "
            "later, or download {url} elsewhere and choose that file⟦ with --weights⟧.",
            model=model,
            status=error.response.status_code,
            url=url,
        )
    return DownloadError(
        "The weights of {model} could not be downloaded. No internet? Try again later (the "
        "download resumes), or download {url} elsewhere and choose that file⟦ with --weights⟧.",
        model=model,
        url=url,
    )


# The download of the set-up is given up after so long without data.
STALL_S = 10.0
SAID_EVERY_S = 5.0
# Shows a line to the user.
Say = Callable[[str], object]


def download_at_set_up(say: Say, limit_s: float = STALL_S) -> None:
    """Download the recommended network once, unless it is installed or declined; say what, and what
    has failed.

    limit_s: as `STALL_S`. An interrupted download goes on at the next call; one that has failed
    does not.
    """
    spec = recommended().weights
    folder = user_folder()
    attempt_note = folder / "downloaded-at-set-up"
    is_declined = bool(os.environ.get(NO_MODELS))
    if is_declined or on_hand(spec.name) is not None or attempt_note.exists():
        return
    title = recommended().title
    size = f"{(spec.bytes or 0) / 1e6:.0f} MB"
    say(
        f"Downloading a finer network, {title}: {size}, {spec.licence}; {NO_MODELS_OPTION} or "
        f"{NO_MODELS}=1 goes without it."
    )
    retry = f"`{program_command()} weights download {spec.name}`"
    try:
        _download_while_data_comes(spec.name, say, limit_s)
    except WrongFileError:
        say(f"What was downloaded is not the published file and was deleted; {retry} tries again.")
    except (DownloadError, TimeoutError) as error:
        log.info("The download at set-up failed: %s", error)
        say(
            f"{title} could not be downloaded, so the network that ships is used; the window or "
            f"{retry} tries again.",
        )
    # Without the note it is tried once more.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        attempt_note.touch()


def _download_while_data_comes(name: str, say: Say, limit_s: float) -> None:
    """Download a model's weights; give up after `limit_s` without data.

    Raises DownloadError or TimeoutError. On a thread: the time in which a name is looked up, or a
    server answers, has no limit of its own.
    """
    result: Future[Path] = Future()
    moved = threading.Event()
    given_up = threading.Event()
    said_s = time.monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal said_s
        moved.set()
        if time.monotonic() - said_s >= SAID_EVERY_S:
            said_s = time.monotonic()
            say(f"{done / 1e6:.1f} of {(total or 0) / 1e6:.1f} MB")

    def check() -> None:
        if given_up.is_set():
            raise TimeoutError

    def work() -> None:
        try:
            result.set_result(download(name, show, check=check))
        except BaseException as error:  # noqa: BLE001 - raised by the caller
            result.set_exception(error)

    result.add_done_callback(lambda _result: moved.set())
    threading.Thread(target=work, name="download-at-set-up", daemon=True).start()
    while not result.done():
        if not moved.wait(limit_s):
            given_up.set()
            raise TimeoutError(f"no data for {limit_s:g} seconds")
        moved.clear()
    result.result()


if __name__ == "__main__":
    # The set-up itself is interrupted as well, and a start says what a home is needed for.
    with suppress(KeyboardInterrupt, NoHomeError):
        download_at_set_up(lambda line: sys.stderr.write(f"mattecam: {line}\n"))
