"""Executors of a batch: worker processes on this machine, and the machines of a cluster of Ray.

Processes convert one clip after the other on one core each. With Ray whole clips are tasks; the
driver keeps the manifest and retries. `requirements-cluster.txt` lists its packages. Ray trusts its
network: see docs/films.md.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import secrets
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import IO, Any, TypeAlias

import psutil

from app.core import paths
from app.core.errors import MattecamError, UsageError, how_ended
from app.core.files import is_private, lock_file
from app.core.process import BREAK, disable_core_dumps
from app.offline.job import Exchange, Job, JobResult, News, run_job

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection

    PipeEnd: TypeAlias = PipeConnection
else:
    PipeEnd: TypeAlias = Connection

log = logging.getLogger(__name__)

# What psutil raises where the system does not pin a process to a core.
_REFUSED = (OSError, ValueError, psutil.Error)


class Processes:
    """Implements `Executor`: each clip is followed by a thread that talks to its process.

    A dead one is replaced.
    """

    def __init__(self, count: int, begin: Callable[[], None] | None = None) -> None:
        """count: of processes, each with a core of its own; a single one uses all.

        begin: called first in each.
        """
        self.count = count
        self._workers = [_Worker(core, begin) for core in _cores_of_workers(count)]
        self._idle = list(self._workers)
        self._threads = ThreadPoolExecutor(count)
        self._news = deque[News]()
        self._stopping = False

    def submit(self, job: Job) -> Future[JobResult]:
        """See `Executor`."""
        worker = self._idle.pop()
        worker.start()
        return self._threads.submit(self._run, worker, job)

    def _run(self, worker: _Worker, job: Job) -> JobResult:
        def exchange(frames: int, expected: int | None) -> bool:
            self._news.append((job.source, frames, expected))
            return self._stopping

        try:
            return worker.run(job, exchange)
        finally:
            self._idle.append(worker)

    def news(self, *, stopping: bool) -> list[News]:
        """See `Executor`."""
        self._stopping = stopping
        return [self._news.popleft() for _ in range(len(self._news))]

    def close(self) -> None:
        """See `Executor`."""
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()


def _cores_of_workers(count: int) -> list[int | None]:
    """Return the core of each process; None where it may use all."""
    cores = core_numbers() if count > 1 else []
    if not cores:
        return [None] * count
    return [cores[number % len(cores)] for number in range(count)]


class _Worker:
    """A process that lasts until it is killed or dies."""

    def __init__(self, core: int | None, begin: Callable[[], None] | None) -> None:
        self._core = core
        self._begin = begin
        self._process: SpawnProcess | None = None
        self._connection: PipeEnd

    def start(self) -> None:
        """Start the process, if none runs. Raises MattecamError."""
        if self._process is not None and self._process.is_alive():
            return
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        process = context.Process(
            target=_work,
            args=(theirs, self._core, self._begin),
            name="convert",
            daemon=True,
        )
        try:
            with _signals_held():
                process.start()
        except OSError as error:
            raise MattecamError(
                f"A process of the conversion did not start ({error}); free memory, or use fewer "
                "--jobs.",
            ) from error
        theirs.close()
        self._process = process

    def run(self, job: Job, exchange: Exchange) -> JobResult:
        """Let the process convert a clip. exchange: as of `run_job`."""
        assert self._process is not None
        try:
            self._connection.send(job)
            while True:
                message = self._connection.recv()
                if isinstance(message, JobResult):
                    return message
                frames, expected = message
                should_stop = exchange(frames, expected)
                self._connection.send(should_stop)
        except (EOFError, OSError):
            self._process.join()
            return JobResult("died", error=how_ended(self._process.exitcode))

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()


def _work(connection: PipeEnd, core: int | None, begin: Callable[[], None] | None) -> None:
    """Convert the jobs that arrive until the connection ends.

    core: the only core to use; None for all. Sends (frames, expected frames) while a clip is
    converted, to which the answer is whether it is to stop; then its JobResult.
    """

    def exchange(*progress: int | None) -> bool:
        with suppress(EOFError, OSError):
            connection.send(progress)
            return bool(connection.recv())
        # The driver has ended.
        return True

    # The driver decides what Ctrl+C stops.
    for number in (signal.SIGINT, BREAK):
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
    if core is not None:
        use_one_core(core)
    if begin is not None:
        begin()
    # Not before: it starts threads, which are to stay on the core.
    from app.offline.convert import KeptEngine

    with closing(KeptEngine()) as kept_engine, suppress(EOFError, OSError):
        while True:
            connection.send(run_job(connection.recv(), exchange, kept_engine))


def core_numbers() -> list[int]:
    """Return the numbers of the cores that this process may use; none where the system lets nobody
    choose one.

    macOS does not, and nor do some containers and sandboxes, which a warning tells.
    """
    process: Any = psutil.Process()
    if not hasattr(process, "cpu_affinity"):
        return []
    try:
        cores: list[int] = process.cpu_affinity()
        # No change: it shows whether the system refuses one.
        process.cpu_affinity(cores)
    except _REFUSED as error:
        log.warning(
            "The system lets no process choose its core (%s); the workers share all of them.",
            error,
        )
        return []
    return cores


def use_one_core(core: int) -> None:
    """Pin this process to a core, before anything starts threads: engines then start one thread.

    Where the system refuses it, as for a core that is taken away meanwhile, the process runs on any
    of them.
    """
    process: Any = psutil.Process()
    try:
        process.cpu_affinity([core])
    except _REFUSED as error:
        log.warning(
            "The system does not let a worker have the core %s (%s); it runs on any.",
            core,
            error,
        )


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back Ctrl+C: a process that starts meanwhile does so for good, and prints no
    traceback of its imports.
    """
    if sys.platform == "win32":
        yield
    else:
        from multiprocessing.resource_tracker import ensure_running

        # It lets signals through when it starts, which the first worker would make it do.
        ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


# Address for Ray on this machine.
LOCAL = "local"
# Of Ray on this machine: results are small, films never pass through its store.
STORE_BYTES = 100_000_000
# The coordinator may be starting anew.
COORDINATOR_TIMEOUT_S = 10.0
# The lock of the core that this worker process holds, for as long as the process lives.
_pinned: list[IO[bytes]] = []


def load_ray() -> Any:
    """Return the module of Ray. Raises UsageError if it is not installed."""
    try:
        import ray
    except ImportError as error:
        remedy = paths.how_to_install("ray")
        raise UsageError(f"--cluster needs Ray; {remedy}, or use --jobs.") from error
    return ray


class RayTasks:
    """Implements `Executor`."""

    def __init__(self, address: str, count: int) -> None:
        """count: of tasks that run side by side.

        Raises MattecamError if Ray is missing, does not start or answer.
        """
        ray = load_ray()
        self._ray = ray
        self.count = count
        self._running: set[Any] = set()
        if address != LOCAL:
            check_token_file()
        try:
            _connect(ray, address, count)
            actor = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
            self._coordinator: Any = actor(Coordinator).remote()
            # A batch retries by itself.
            one_try = ray.remote(num_cpus=1, max_retries=0, retry_exceptions=False)
            self._task: Any = one_try(run_task)
        except Exception as error:
            # Ray raises a bare one where its processes do not start within 30 s.
            ray.shutdown()
            raise MattecamError(
                f"Ray at {address} cannot be used: {_first_line(error)}; check the address and "
                "that the versions agree, try again when the machine is less busy, or omit "
                "--cluster."
            ) from error

    def submit(self, job: Job) -> Future[JobResult]:
        """See `Executor`. Raises MattecamError if Ray is lost."""
        with _while_ray_answers():
            reference = self._task.remote(job, self._coordinator)
            self._running.add(reference)
            result: Future[JobResult] = Future()
            reference.future().add_done_callback(lambda ended: self._end(reference, ended, result))
            return result

    def news(self, *, stopping: bool) -> list[News]:
        """See `Executor`.

        Raises MattecamError if Ray is lost; empty where the coordinator is being started anew.
        """
        with _while_ray_answers():
            try:
                answer = self._coordinator.take.remote(stopping)
                return list(self._ray.get(answer, timeout=COORDINATOR_TIMEOUT_S))
            except self._ray.exceptions.RayError:
                return []

    def close(self) -> None:
        """See `Executor`. Ray on this machine ends."""
        for reference in tuple(self._running):
            with suppress(Exception):  # Ray is lost, and its tasks with it
                self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _end(self, reference: Any, ended: Future[JobResult], result: Future[JobResult]) -> None:
        """Set the result of a task. Called on a thread of Ray."""
        self._running.discard(reference)
        try:
            result.set_result(ended.result())
        except self._ray.exceptions.RayTaskError as error:
            result.set_result(JobResult("failed", error=str(error.cause)))
        except Exception as error:  # noqa: BLE001 - the worker or its machine died
            result.set_result(JobResult("died", error=type(error).__name__))


class Coordinator:
    """Actor between the tasks and the driver: takes progress, tells who should stop.

    Ray starts it anew where it dies: it holds only what its callers tell it again.
    """

    def __init__(self) -> None:
        self._stopping = False
        self._news: dict[str, News] = {}

    def tell(self, source: str, frames: int, expected: int | None) -> bool:
        """Take the progress of a task; return whether it should stop."""
        self._news[source] = (source, frames, expected)
        return self._stopping

    def take(self, stopping: bool) -> Sequence[News]:
        """Return the progress since the last call. stopping: every task should stop."""
        self._stopping = stopping
        news = self._news
        self._news = {}
        return tuple(news.values())


def run_task(job: Job, coordinator: Any) -> JobResult:
    """Run one job in a Ray worker, on a core of its own."""
    import ray

    def exchange(frames: int, expected: int | None) -> bool:
        try:
            answer = coordinator.tell.remote(job.source, frames, expected)
            return bool(ray.get(answer, timeout=COORDINATOR_TIMEOUT_S))
        except ray.exceptions.RayError:
            # Only progress is lost.
            return False

    # Ray starts this process, without the command line, which does it elsewhere.
    disable_core_dumps()
    pin()
    if exchange(0, None):
        return JobResult("interrupted")
    return run_job(job, exchange)


@contextmanager
def _while_ray_answers() -> Iterator[None]:
    """Raise MattecamError in place of any error of Ray, some of which are bare exceptions."""
    try:
        yield
    except Exception as error:
        raise MattecamError(
            f"Ray ended during the conversion: {_first_line(error)}; run the command again with "
            "--resume.",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def pin() -> None:
    """Pin this worker process, once, to a core that no other worker of this user holds."""
    if _pinned:
        return
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for core in core_numbers():
        name = Path(tempfile.gettempdir(), f"mattecam-{user}-{core}")
        # Such as a file of this name that belongs to somebody else.
        with suppress(OSError):
            lock = lock_file(name, wait=False, required=True)
            if lock is not None:
                _pinned.append(lock)
                use_one_core(core)
                return


def check_token_file() -> None:
    """Raise UsageError if other users can read the file with Ray's token."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        # Then Ray reads no file.
        return
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if file.exists() and not is_private(file):
        raise UsageError(
            f"Other users can read Ray's token in {file} and run code with it; run `chmod 600 "
            f"{file}`.",
        )


def _connect(ray: Any, address: str, count: int) -> None:
    """Start Ray on this machine, or connect to a cluster.

    For the main thread. Raises whatever Ray raises.
    """
    options: dict[str, object] = {}
    if address == LOCAL:
        os.environ.setdefault("RAY_worker_niceness", "0")
        # Without one, Ray writes a token that every user can read.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        options = {
            "num_cpus": count,
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "logging_level": "error",
            "_node_ip_address": "127.0.0.1",
        }
    environment = {"env_vars": {"PYTHONPATH": str(paths.IMPORT_ROOT)}}
    handler = signal.getsignal(signal.SIGTERM)
    mask = os.umask(0o077)
    try:
        ray.init(address=address, log_to_driver=False, runtime_env=environment, **options)
    finally:
        os.umask(mask)
        # That of Ray ends the program at once.
        signal.signal(signal.SIGTERM, handler)
