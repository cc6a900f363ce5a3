"""What runs in a home, seen from outside: works whether the control plane runs or not."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mooring import processes
from mooring.home import Home
from mooring.runtimes.base import Phase
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.settings import Settings
from mooring.system import data_plane, sharing
from mooring.system.address import kept_address


@dataclass(frozen=True)
class ProcessStatus:
    """One process. `name` is its part in the installation; `detail` names the replica or an address."""

    name: str
    pid: int | None
    state: str
    detail: str = ""


@dataclass(frozen=True)
class InstallationStatus:
    """All of them."""

    home: str
    address: str | None
    ready: bool
    store: str = ""
    """Its kind: `sqlite` or `postgresql`; nothing when it was never started."""
    shared_with: list[str] = field(default_factory=list)
    """The other homes that run and use the same replicas."""
    processes: list[ProcessStatus] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The form of `mooring status --json`."""
        return {
            "home": self.home,
            "gateway": {"address": self.address, "pid": self.pid_of("gateway")},
            "ready": self.ready,
            "store": self.store,
            "sharedWith": self.shared_with,
            "processes": [asdict(process) for process in self.processes],
        }

    def pid_of(self, name: str) -> int | None:
        return next((process.pid for process in self.processes if process.name == name), None)


def installation_status(settings: Settings) -> InstallationStatus:
    """Read from the records in the home; nothing is started or changed."""
    home = Home(settings.home)
    address = kept_address(home)
    control_plane = processes.running(home.control_plane_record)
    record = processes.read_record(home.control_plane_record)
    found = [_recorded("control-plane", home.control_plane_record)]
    gateway = processes.running(home.gateway_record)
    found.append(ProcessStatus("gateway", gateway.pid if gateway else None, "running" if gateway else "not running"))
    if home.mlflow_record.exists():
        found.append(_recorded("mlflow", home.mlflow_record))
    runtime = sharing.runtime_home(home)
    if runtime.replicas.is_dir():
        found.extend(_replicas(data_plane.process_runtime(settings, runtime)))
    return InstallationStatus(
        home=str(home.path),
        address=address.public_url if address else None,
        ready=bool(control_plane and gateway and record and record[1].get("ready")),
        store=str(record[1].get("store", "")) if record else "",
        shared_with=[str(other.path) for other in sharing.others(home)],
        processes=found,
    )


def _recorded(name: str, record: Path) -> ProcessStatus:
    found = processes.read_record(record)
    alive = found is not None and processes.is_alive(found[0])
    port = found[1].get("port") if found else None
    return ProcessStatus(
        name=name,
        pid=found[0].pid if found and alive else None,
        state="running" if alive else "not running",
        detail=f"http://127.0.0.1:{port}" if port else "",
    )


def _replicas(runtime: ProcessRuntime) -> list[ProcessStatus]:
    observed = [(replica_id, runtime.observe(replica_id)) for replica_id in sorted(runtime.replicas())]
    return [
        ProcessStatus("replica", None if seen.phase is Phase.EXITED else seen.pid, seen.phase.value, replica_id)
        for replica_id, seen in observed
        if seen.phase is not Phase.ABSENT
    ]
