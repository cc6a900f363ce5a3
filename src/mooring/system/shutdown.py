"""`mooring down`: everything in a home ends, the running requests first."""

import time
from collections.abc import Callable

from mooring import processes
from mooring.home import Home
from mooring.runtimes.base import Phase, Runtime
from mooring.settings import Settings
from mooring.system import data_plane, sharing
from mooring.system.containers import containers
from mooring.system.errors import CannotStart
from mooring.system.lock import HomeLock
from mooring.system.mlflow_server import MlflowServer

Report = Callable[[str], None]
_CONTROL_PLANE_SECONDS = 20.0
_MLFLOW_SECONDS = 10.0
_POLL_SECONDS = 0.05


def shut_down(settings: Settings, report: Report) -> list[str]:
    """End the control plane, the gateway, the replicas and MLflow. Returns what still runs in spite of it (nothing).

    The control plane goes first, so that nobody starts anew what is being ended; then the way in, then the replicas.
    """
    home = Home(settings.home)
    if not home.run.is_dir():
        return []
    report("ending the control plane")
    lock = _lock_without_owner(home)
    try:
        return shut_down_the_rest(settings, report)
    finally:
        lock.release()


def _lock_without_owner(home: Home) -> HomeLock:
    """End whoever holds the home, also one that is just starting, and hold it ourselves. Raises CannotStart."""
    lock, deadline = HomeLock(home), time.monotonic() + _CONTROL_PLANE_SECONDS
    while True:
        control_plane = processes.running(home.control_plane_record)
        if control_plane:
            processes.stop(control_plane, grace_seconds=_CONTROL_PLANE_SECONDS)
        try:
            lock.take()
        except CannotStart:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return lock


def shut_down_the_rest(settings: Settings, report: Report) -> list[str]:
    """The same, when the control plane has ended already (or is the caller).

    Replicas go on as long as another home of the same store uses them: its control plane, or its gateway alone.
    """
    home = Home(settings.home)
    report("ending the gateway, when its requests are answered")
    gateway = data_plane.known_gateway(home)
    if gateway:
        gateway.stop(grace_seconds=settings.replica_stop_seconds)
    left = _end_replicas_unless_shared(settings, home, report)
    if home.mlflow_record.exists():
        report("ending MLflow")
        MlflowServer(home).stop(grace_seconds=_MLFLOW_SECONDS)
    return left


def _end_replicas_unless_shared(settings: Settings, home: Home, report: Report) -> list[str]:
    runtime = sharing.runtime_home(home)
    if not runtime.replicas.is_dir():
        return []
    with sharing.exclusively(runtime, "sharing"):
        if others := sharing.others(home):
            report(f"leaving the replicas to {', '.join(str(other.path) for other in others)}")
            return []
        report("ending the replicas")
        data_plane.fork_servers(runtime).end_all_but(set())
        images = containers(settings, home, runtime, None)
        return _end_replicas(data_plane.process_runtime(settings, runtime, images), settings.replica_stop_seconds + 10)


def _end_replicas(runtime: Runtime, timeout_seconds: float) -> list[str]:
    deadline = time.monotonic() + timeout_seconds
    for replica_id in runtime.replicas():
        runtime.stop(replica_id)
    while (left := _running(runtime)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return left


def _running(runtime: Runtime) -> list[str]:
    over = (Phase.EXITED, Phase.ABSENT)
    return [f"replica {id_}" for id_ in runtime.replicas() if runtime.observe(id_).phase not in over]
