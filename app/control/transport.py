"""One request and one answer per connection to the running program of this user.

Words, and a JSON object.

The connection is a Unix socket in a folder of the user, or a named pipe of Windows. Who holds the
lock file of that folder owns the address: the kernel releases the lock of a program that is killed.
Every request begins with a secret from the folder, and the name of the pipe follows from it: on
Windows all users share the names of pipes.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import logging
import os
import secrets
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter

from app.control.commands import Answer, Command
from app.core import paths
from app.core.errors import MattecamError, Text, UsageError
from app.core.files import (
    WITHOUT_LOCKS,
    ExplainedOSError,
    is_folder,
    lock_file,
    why_not_read,
    why_not_written,
    write_private,
)
from app.core.paths import NAME, program_command
from app.core.process import hand_over_foreground

if sys.platform == "win32":
    import _winapi

log = logging.getLogger(__name__)
SOCKET_FILE = "control.sock"
SECRET_FILE = "control.secret"  # noqa: S105 - the name of a file
# Stays when the program ends: a name that comes and goes can be locked by two programs at once.
LOCK_FILE = "control.lock"
SECRET_BYTES = 32
# A message of this size is written, and arrives, in one piece.
MAX_REQUEST_BYTES = 16 * 1024
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# Clients that may connect at the same moment: one that is refused then may be the pause.
BACKLOG = 512
# How long a client may be silent after it has connected.
REQUEST_TIMEOUT_S = 2.0
# How long a client waits until a program accepts its connection, on Windows.
CONNECT_TIMEOUT_S = 2.0
# Windows' errors for a pipe that is there, and accepts no connection.
BUSY_PIPE = (121, 231)
# How long a client waits for the answer; commands are confirmed within less.
ANSWER_TIMEOUT_S = 15.0
# Of the path of a Unix socket.
MAX_SOCKET_NAME_BYTES = 107 if sys.platform == "linux" else 103

NAME_TOO_LONG = Text(
    "its name is too long for a socket; name a shorter folder in MATTECAM_RUNTIME_DIR",
    {},
)
# Only the command line prints both.
NO_LOCKS = Text(
    "its file system cannot lock files; name another folder in MATTECAM_RUNTIME_DIR",
    {},
)
# Where systemd and elogind keep a folder for each user,
# also for those whose environment does not name it.
USERS_FOLDER = Path("/run/user")
ANOTHER_RUNS = "Another Mattecam of this user is running; `ctl` controls that one until it ends."


class ControlError(MattecamError):
    """The control socket cannot be used, or no running program answers there."""


class OtherProgramError(ControlError):
    """Another program of this user owns the address."""


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """A private folder that contains the socket.

    `pipe` begins the name of a pipe that replaces the socket.
    """

    folder: Path
    pipe: str | None = None

    @property
    def name(self) -> str:
        """The address of the socket or pipe.

        That of a pipe follows from the secret of the program that owns the address: another user
        can listen at no name that cannot be known before. Raises OSError if there is no secret.
        """
        if self.pipe is None:
            return str(self.folder / SOCKET_FILE)
        return f"{self.pipe}-{hashlib.sha256(self.read_secret()).hexdigest()[:16]}"

    def read_secret(self) -> bytes:
        """Return the secret of the program that owns the address. Raises OSError."""
        return (self.folder / SECRET_FILE).read_bytes()

    def connect(self) -> Connection | None:
        """Connect to the program that listens here; return None if none does.

        Raises ControlError if it is too busy.
        """
        try:
            if sys.platform == "win32":
                # Python itself waits for 20 seconds for a program that hangs.
                _winapi.WaitNamedPipe(self.name, int(CONNECT_TIMEOUT_S * 1000))
                # It is a PipeConnection, which has the same methods.
                connection: Connection = Client(self.name)  # type: ignore[assignment, unused-ignore]
            else:
                with socket.socket(socket.AF_UNIX) as client:
                    client.setblocking(False)  # a full backlog is an error, and no reason to wait
                    client.connect(self.name)
                    client.setblocking(True)
                    connection = Connection(client.detach())
        except OSError as error:
            if isinstance(error, BlockingIOError) or getattr(error, "winerror", None) in BUSY_PIPE:
                raise ControlError(
                    "Mattecam is running but accepts no connection now; try again.",
                ) from error
            return None
        return connection

    def knock(self) -> bool:
        """Connect and hang up; return whether a program listens here, even if it accepts no
        connection now.
        """
        try:
            connection = self.connect()
        except ControlError:
            return True
        if connection is not None:
            connection.close()
        return connection is not None


def default_address() -> ControlAddress:
    """Return the address at which a program of this user listens.

    Without one, that which a program may take.

    The folder of the latter is created for this user alone. Raises ControlError if no folder can be
    used.
    """
    folders = runtime_dirs()
    for folder in folders:
        address = _address_in(folder)
        if _why_not_private(folder) is None and address.knock():
            return address
    problems: list[str] = []
    for folder in folders:
        problem = _create(folder)
        if problem is None:
            return _address_in(folder)
        problems.append(problem)
    raise ControlError(problems[0])


def _address_in(folder: Path) -> ControlAddress:
    return ControlAddress(folder, r"\\.\pipe\mattecam" if sys.platform == "win32" else None)


def runtime_dirs() -> Sequence[Path]:
    """Return the folders in which a program of this user may listen, in the order in which one is
    taken.

    `$MATTECAM_RUNTIME_DIR` names the only one. On Linux they do not depend on the environment
    alone: a program that the desktop started is found from a cron job, and the other way round. The
    last one is in the user's home: in the shared temporary folder, another user could take the name
    first.
    """
    named = os.environ.get("MATTECAM_RUNTIME_DIR")
    if named:
        return [Path(named)]
    if sys.platform == "linux":
        of_the_session = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
        of_the_user = USERS_FOLDER / str(os.getuid())
        named_folders = [folder for folder in (of_the_session, of_the_user) if folder.is_absolute()]
        folders = [folder / NAME for folder in named_folders if is_folder(folder)]
        folders.append(paths.data_dir() / "run")
    else:
        folders = [Path(platformdirs.user_runtime_dir(NAME, appauthor=False))]
    return list(dict.fromkeys(folders))


def make_private(folder: Path) -> None:
    """Create `folder` for this user alone.

    Raise ControlError if other users can write to it, or replace it.
    """
    problem = _create(folder)
    if problem is not None:
        raise ControlError(problem)


def _create(folder: Path) -> str | None:
    """Create `folder` for this user alone; return why it is not."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return (
            f"The folder {folder} for the control socket cannot be created "
            f"({why_not_written(error)}); name another one in MATTECAM_RUNTIME_DIR."
        )
    return _why_not_private(folder)


def _why_not_private(folder: Path) -> str | None:
    """Return why a folder is not one of this user alone; None if it is."""
    try:
        own = folder.lstat()
        outer = folder.resolve().parent.stat()
    except OSError as error:
        return f"The folder {folder} for the control socket cannot be used: {why_not_read(error)}."
    if _others_may_write(own):
        problem = "Other users can write to"
    elif _others_may_rename(outer):
        problem = "Other users can replace"
    else:
        return None
    return (
        f"{problem} {folder}, the folder for the control socket; name another one in "
        "MATTECAM_RUNTIME_DIR."
    )


def _others_may_write(folder: os.stat_result) -> bool:
    """Return whether this is a link, belongs to somebody else, or lets others write."""
    if sys.platform == "win32":  # there the folder is in the user's profile
        may_write = False
    else:
        is_own_folder = stat.S_ISDIR(folder.st_mode) and folder.st_uid == os.getuid()
        may_write = not is_own_folder or bool(folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return may_write


def _others_may_rename(outer: os.stat_result) -> bool:
    """Return whether somebody else can put another folder in the place of one in this folder."""
    if sys.platform == "win32":
        may_rename = False
    else:
        is_trusted = outer.st_uid in (0, os.getuid())
        # In a sticky folder such as /tmp only the owner renames. Groups may write: where the umask
        # is 002, the group of a user has no other member.
        lets_others_write = bool(outer.st_mode & stat.S_IWOTH) and not outer.st_mode & stat.S_ISVTX
        may_rename = not is_trusted or lets_others_write
    return may_rename


if sys.platform == "win32":

    class _Listener:
        """A named pipe."""

        def __init__(self, name: str) -> None:
            """Listen at the name. Raises OSError, also where another program has taken it."""
            self._name = name
            self._pipe = Listener(name)

        def accept(self) -> Connection | None:
            """Return the next connection, which may be from `wake`. Raises OSError."""
            return self._pipe.accept()  # type: ignore[return-value, unused-ignore] # PipeConnection

        def wake(self) -> None:
            """Let `accept` return (any thread)."""
            with suppress(OSError):
                Client(self._name).close()

        def close(self) -> None:
            """Stop listening."""
            self._pipe.close()

else:

    class _Listener:
        """A Unix socket of mode 0600.

        That of `multiprocessing` removes its file at the end, even if it is that of another program
        by then.
        """

        def __init__(self, name: str) -> None:
            """Listen at the path, in place of what was left behind there. Raises OSError."""
            if len(os.fsencode(name)) > MAX_SOCKET_NAME_BYTES:  # Python's own error has no number
                raise ExplainedOSError(errno.ENAMETOOLONG, NAME_TOO_LONG, Path(name))
            Path(name).unlink(missing_ok=True)
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.bind(name)
                Path(name).chmod(0o600)
                self._socket.listen(BACKLOG)
                # Opened now: at the end, the socket may have no
                # file to connect to, and no descriptor may be left.
                self._sleeper, self._waker = socket.socketpair()
            except BaseException:
                self._socket.close()
                raise

        def accept(self) -> Connection | None:
            """Return the next connection; None once `wake` was called. Raises OSError."""
            if self._sleeper in wait([self._socket, self._sleeper]):
                return None
            client, _ = self._socket.accept()
            return Connection(client.detach())

        def wake(self) -> None:
            """Let `accept` return (any thread)."""
            self._waker.send(b"w")

        def close(self) -> None:
            """Stop listening; the file stays."""
            for each in (self._socket, self._sleeper, self._waker):
                each.close()


class Endpoint:
    """The address of this program, which holds the lock of the folder.

    A socket of mode 0600, or a pipe.
    """

    def __init__(self, address: ControlAddress) -> None:
        """Listen at the address.

        Raises OtherProgramError if another program owns it, and ControlError.
        """
        self._address = address
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._secret_file = address.folder / SECRET_FILE
        try:
            lock = lock_file(address.folder / LOCK_FILE, wait=False, required=True)
        except OSError as error:
            if error.errno in WITHOUT_LOCKS:
                error = ExplainedOSError(error.errno, NO_LOCKS, address.folder)
            raise self._not_opened(error) from error
        if lock is None:
            raise OtherProgramError(ANOTHER_RUNS)
        self._lock = lock
        try:
            if address.knock():  # of a version that took no lock
                raise OtherProgramError(ANOTHER_RUNS)
            write_private(self._secret_file, self._secret)
            self._name = address.name
            self._listener = _Listener(self._name)
        except OSError as error:
            lock.close()
            raise self._not_opened(error) from error
        except BaseException:
            lock.close()
            raise

    def _not_opened(self, error: OSError) -> ControlError:
        folder = self._address.folder
        return ControlError(
            f"The control socket in {folder} cannot be opened: {why_not_written(error)}.",
        )

    def accept(self) -> Connection | None:
        """Return the next connection, which on Windows may be from `wake`; elsewhere None after it.

        Raises OSError.
        """
        return self._listener.accept()

    def receive(self, connection: Connection) -> bytes:
        """Return the request of a client; b"" if none came in time, or one without the secret.

        Raises OSError.
        """
        if not connection.poll(REQUEST_TIMEOUT_S):
            return b""
        if sys.platform != "win32":  # there a pipe carries whole messages
            os.set_blocking(connection.fileno(), False)  # fail for a request that arrives in pieces
        try:
            message = connection.recv_bytes(MAX_REQUEST_BYTES)
        except EOFError:
            return b""
        if sys.platform != "win32":
            # An answer may be longer than what the socket holds.
            os.set_blocking(
                connection.fileno(),
                True,
            )
        known = hmac.compare_digest(message[:SECRET_BYTES], self._secret)
        return message[SECRET_BYTES:] if known else b""

    def wake(self) -> None:
        """Let `accept` return (any thread)."""
        self._listener.wake()

    def close(self) -> None:
        """Stop listening, remove socket and secret, and leave the lock to the next program.

        For one call.

        Never raises: what fails is logged, and what stays behind is replaced by the next program.
        """
        steps: list[Callable[[], object]] = [self._listener.close]
        if self._owns_folder():
            steps.append(partial(self._secret_file.unlink, missing_ok=True))
            if sys.platform != "win32":  # there a pipe is no file
                steps.append(partial(Path(self._name).unlink, missing_ok=True))
        steps.append(self._lock.close)  # last: until then no other program has files of these names
        for step in steps:
            try:
                step()
            except OSError as error:  # noqa: PERF203 - each step runs
                log.warning(
                    "The control socket could not be closed completely: %s.",
                    why_not_written(error),
                )

    def _owns_folder(self) -> bool:
        """Return whether the files in the folder are those of this program.

        They are another one's if the folder was removed meanwhile, as that of a session is, and
        made again.
        """
        try:
            return os.path.samestat(
                os.fstat(self._lock.fileno()),
                (self._address.folder / LOCK_FILE).stat(),
            )
        except OSError:
            return False


def ask(command: Command, *, at: Callable[[], ControlAddress] = default_address) -> Answer:
    """Send one command to this user's running program and return its answer.

    Raises ControlError.
    """
    request = f"{command.name} {command.argument}".encode("utf-8", "surrogateescape")
    if len(request) > MAX_REQUEST_BYTES:
        raise UsageError(f"The command {command.name} is too long; shorten what follows it.")
    address = at()
    connection = address.connect()
    if connection is None:
        raise ControlError(
            "Mattecam is not running for this user, or records a sample, which takes no commands; "
            f"start it with `{program_command()}` or `{program_command()} headless`."
        )
    if command.name == "show":
        hand_over_foreground()
    with connection:
        try:
            send(connection, address, request)
            came = connection.poll(ANSWER_TIMEOUT_S + command.extra_s)
            if not came:
                raise EOFError
            line = connection.recv_bytes(MAX_ANSWER_BYTES)
            # Validate_json refuses names not in UTF-8.
            return TypeAdapter(Answer).validate_python(json.loads(line))
        except (EOFError, OSError) as error:
            raise ControlError("The running Mattecam did not answer; try again.") from error
        except ValueError as error:
            raise ControlError(
                "The running Mattecam is of another version; start it again.",
            ) from error


def send(connection: Connection, address: ControlAddress, request: bytes) -> None:
    """Send a request with the secret of the program that listens at the address. Raises OSError."""
    connection.send_bytes(address.read_secret() + request)
