"""A crew of Ray actors: one with a GPU, or with some CPUs, and a station in it."""

import logging
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from upscale import __version__
from upscale.batch.methods import Listener, Making
from upscale.batch.order import Order
from upscale.errors import DeviceError, UsageError
from upscale.fleet.cluster.address import AUTO, LOCAL, check_cluster
from upscale.fleet.cluster.driver import Driver
from upscale.fleet.cluster.shares import Machine, Share, share_of
from upscale.fleet.cluster.station import Reply, Terms
from upscale.fleet.task import Task
from upscale.system import stop_signals

__all__ = ["RayCluster"]

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no usage reports
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # machines have upscale; no code is sent to them
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Settings of Ray, unless the user has set them."""

QUIET = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # Ray would print its messages on standard output
    "RAY_SCHEDULER_EVENTS": "0",
}
"""Further settings, unless the user wants to see all output of Ray."""

SILENCE = 20.0
"""Seconds without an answer after which the head counts as lost; after 60 Ray ends this process."""

STORE = 80 * 2**20
"""Bytes of the object store of a cluster started here; no picture passes through it."""


class RayCluster(Driver):
    """The crew of a cluster. Its actors end with it, and so does a cluster that it started."""

    def __init__(
        self,
        cluster: str,
        making: Making,
        order: Order,
        listener: Listener,
        processes: int,
        *,
        workers: int | None = None,
        debug: bool = False,
    ) -> None:
        """Join ``cluster``, or use the one that this process has already joined.

        ``processes`` decode and encode in each actor. ``workers``: number of actors; None: one per
        GPU, or one per group of CPUs. ``debug`` shows the output of Ray, some on standard output.
        Raises UsageError if Ray is not installed or the cluster does not exist.
        """
        check_cluster(cluster)
        for name, value in (SETTINGS if debug else {**SETTINGS, **QUIET}).items():
            os.environ.setdefault(name, value)
        try:
            import ray
        except ImportError as error:
            raise UsageError(
                "--cluster needs Ray; install it with: pip install 'upscale[ray]'"
            ) from error
        self._joined = not ray.is_initialized()
        if self._joined:
            _join(cluster, debug)
        share = share_of(_machines(), making.device, processes, workers)
        terms = Terms(making, order, processes, share.threads, os.getcwd())
        payload = pickle.dumps(terms)

        watch = _Watch()

        def room() -> int:
            there = watch.machines()
            return share.room(there) if workers is None else workers

        super().__init__(lambda: _Actor(share, payload), room, listener.say, 1 + processes)
        if making.device == "auto" and not share.gpus:
            listener.say("upscale: the cluster has no GPU, so its CPUs do the work")
        listener.say(_stated(share, share.room(_machines())))

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the actors, and leave the cluster."""
        import ray

        super().__exit__(kind, *error)
        if self._joined:
            ray.shutdown()


def _join(cluster: str, debug: bool) -> None:
    import ray

    handlers = {number: signal.getsignal(number) for number in stop_signals()}
    level = logging.INFO if debug else logging.ERROR
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": STORE}
    address = "local" if cluster == LOCAL else cluster
    try:
        with warnings.catch_warnings():
            if not debug:
                warnings.simplefilter("ignore", UserWarning)  # the error states it, too
            ray.init(
                address,
                logging_level=level,
                log_to_driver=debug,
                **(own if cluster == LOCAL else {}),
            )
    except ConnectionError as error:
        if cluster == AUTO:
            raise UsageError(
                "--cluster auto: no Ray runs on this machine; ray start --head starts one, and "
                "--cluster local starts one for this run"
            ) from error
        raise _refused(cluster, error) from error
    except (ValueError, RuntimeError) as error:
        raise _refused(cluster, error) from error
    finally:
        for number, handler in handlers.items():  # Ray has replaced them by its own
            signal.signal(number, handler)


def _refused(cluster: str, error: Exception) -> UsageError:
    reason = str(error).strip() or type(error).__name__
    return UsageError(
        f"--cluster {cluster}: cannot be joined (Ray says: {reason}); check host and port, and "
        "that all machines have the same versions of Ray and Python"
    )


def _machines() -> list[Machine]:
    import ray

    nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
    lent = [node["Resources"] for node in nodes() if node["Alive"]]
    return [Machine(each.get("CPU", 0), each.get("GPU", 0)) for each in lent]


def _stated(share: Share, room: int) -> str:
    gpu = "1 GPU and " if share.gpus else ""
    return (
        f"upscale: the cluster has room for {room} worker{'' if room == 1 else 's'}, each with "
        f"{gpu}{share.cpus:g} CPU{'' if share.cpus == 1 else 's'}"
    )


class _Watch:
    """Watches a cluster in a thread, since Ray waits for a lost head and the work must not."""

    def __init__(self) -> None:
        self._seen, self._asked = _machines(), 0.0
        self._answer: Future[list[Machine]] = Future()
        self._answer.set_result(self._seen)

    def machines(self) -> list[Machine]:
        """Return the machines of the last answer. Raises DeviceError without a recent answer."""
        now = time.monotonic()
        if self._answer.done():
            self._seen, self._asked = self._answer.result(), now
            self._answer = Future()
            threading.Thread(target=self._look, args=(self._answer,), daemon=True).start()
        elif now - self._asked > SILENCE:
            raise DeviceError(
                f"the head of the cluster has not answered for {SILENCE:.0f} s; finished pictures "
                "stay: start the cluster again, and run the same command"
            )
        return self._seen

    @staticmethod
    def _look(answer: "Future[list[Machine]]") -> None:
        import ray

        with suppress(ray.exceptions.RayError, RuntimeError):  # this gives no answer
            answer.set_result(_machines())


class _Actor:
    """A station in an actor. It ends with this process."""

    def __init__(self, share: Share, payload: bytes) -> None:
        import ray

        asked = {"num_cpus": share.cpus, "num_gpus": share.gpus, "max_concurrency": 2}
        self._payload = payload
        self._actor: Any = ray.remote(_seat()).options(**asked).remote()

    def open(self) -> "Future[tuple[str, str]]":
        """Start the station if it is of this version; see `upscale.fleet.cluster.driver.Remote`."""
        answer: Future[tuple[str, str]]
        answer = self._actor.open.remote(__version__, self._payload).future()
        return answer

    def exchange(self, tasks: Sequence[Task]) -> "Future[Reply]":
        """Call `upscale.fleet.cluster.station.Station.exchange`."""
        answer: Future[Reply] = self._actor.exchange.remote(tuple(tasks)).future()
        return answer

    def close(self) -> "Future[Reply]":
        """Call `upscale.fleet.cluster.station.Station.close`."""
        answer: Future[Reply] = self._actor.close.remote().future()
        return answer

    def kill(self) -> None:
        """End the actor, if it still runs."""
        import ray

        with suppress(ray.exceptions.RayError):
            ray.kill(self._actor)


def _seat() -> type:
    """Return the class of actors.

    Ray sends a class inside a function as a whole, so a machine without upscale can load it and
    report what is missing.
    """

    class Seat:
        def open(self, version: str, payload: bytes) -> tuple[str, str]:
            import platform

            machine = platform.node()
            try:
                import upscale
            except ImportError:
                return machine, ""
            if upscale.__version__ == version:
                from upscale.fleet.cluster.station import Station

                terms = pickle.loads(payload)
                with suppress(OSError):
                    os.chdir(terms.folder)
                self._station = Station(terms)
            return machine, upscale.__version__

        def exchange(self, tasks: tuple[Any, ...]) -> Any:
            return self._station.exchange(tasks)

        def close(self) -> Any:
            return self._station.close()

    return Seat
