"""How a server is asked whether it is well: a template's probes, as far as they have an effect.

One question is asked, that of the readiness probe: a server gets requests once it answers, and is replaced when it has
not answered for as long as the liveness probe allows.
"""

from collections.abc import Iterator, Mapping, Sequence

from mooring.domain.revisions import Check
from mooring.templates.container_values import number, shown
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, mapping, text

DEFAULT_PORT = 8080
_LARGEST_PORT = 65535
_LONGEST_SECONDS = 3600
_LONGEST_ANSWER_SECONDS = 60
_USUAL_PERIOD_SECONDS, _USUAL_FAILURES = 10, 3
_ASKING = ("readinessProbe", "startupProbe")
"""The first that says how to ask counts. (Starting is given the time that the installation's settings allow.)"""
_NO_HEADERS = "has no effect: the question is a plain GET"
_PORT_INSTEAD = "has no effect: instead of this the server is asked whether its port accepts connections"


def ports(container: Mapping[str, Tree], path: str) -> tuple[int, Mapping[str, int]]:
    """The port that gets the requests, and all ports by name. Raises TemplateError."""
    found = []
    named = {}
    for where, entry in entries(container, path, "ports"):
        protocol = text(entry.get("protocol"), f"{where}.protocol") or "TCP"
        if protocol != "TCP":
            raise TemplateError(f"{where}.protocol", f"is {shown(protocol)}; only TCP is passed on")
        port = number(entry.get("containerPort"), f"{where}.containerPort", least=1, most=_LARGEST_PORT)
        if port is None:
            raise TemplateError(f"{where}.containerPort", "is required")
        found.append(port)
        name = text(entry.get("name"), f"{where}.name")
        if name:
            named[name] = port
    return (found[0] if found else DEFAULT_PORT), named


def readiness(container: Mapping[str, Tree], port: int, named: Mapping[str, int], path: str) -> Check:
    """The question that is asked; without a probe, whether the port accepts. Raises TemplateError."""
    liveness = f"{path}.livenessProbe"
    most_often = _period_seconds(mapping(container.get("livenessProbe"), liveness), liveness)
    for name in _ASKING:
        where = f"{path}.{name}"
        probe = mapping(container.get(name), where)
        asked = _asked(probe, port, named, where)
        if asked is not None:
            wait = number(probe.get("initialDelaySeconds"), f"{where}.initialDelaySeconds", most=_LONGEST_SECONDS)
            most = _LONGEST_ANSWER_SECONDS
            timeout = number(probe.get("timeoutSeconds"), f"{where}.timeoutSeconds", least=1, most=most)
            every = _period_seconds(probe, where)
            every = min(every, most_often) if "livenessProbe" in container else every
            return Check(*asked, float(wait or 0), float(timeout or 1), every)
    return Check(port, period_seconds=most_often)


def restart_after_seconds(container: Mapping[str, Tree], path: str) -> float | None:
    """How long a server may be silent; None when there is no liveness probe. Raises TemplateError."""
    where = f"{path}.livenessProbe"
    probe = mapping(container.get("livenessProbe"), where)
    if not probe:
        return None
    failures = number(probe.get("failureThreshold"), f"{where}.failureThreshold", least=1, most=_LONGEST_SECONDS)
    return _period_seconds(probe, where) * (failures or _USUAL_FAILURES)


def without_effect(container: Mapping[str, Tree], path: str) -> Iterator[str]:
    """What the probes of a container ask for in vain, for the sync's message."""
    for name in (*_ASKING, "livenessProbe"):
        probe = mapping(container.get(name), f"{path}.{name}")
        yield from (f"{path}.{name}.{kind} {_PORT_INSTEAD}" for kind in ("exec", "grpc") if kind in probe)
        if _asks_elsewhere(probe, container, path):
            yield f"{path}.{name} names another port than the first, which gets the requests: this one is asked instead"
        if "httpHeaders" in mapping(probe.get("httpGet"), f"{path}.{name}.httpGet"):
            yield f"{path}.{name}.httpGet.httpHeaders {_NO_HEADERS}"
    if _handler(container, "livenessProbe", path) not in ({}, _handler(container, "readinessProbe", path)):
        yield f"{path}.livenessProbe asks nothing of its own: its times hold for the question of the readinessProbe"


def _period_seconds(probe: Mapping[str, Tree], path: str) -> float:
    period = number(probe.get("periodSeconds"), f"{path}.periodSeconds", least=1, most=_LONGEST_SECONDS)
    return float(period or _USUAL_PERIOD_SECONDS)


def _asks_elsewhere(probe: Mapping[str, Tree], container: Mapping[str, Tree], path: str) -> bool:
    """Whether that can be said before any value is known."""
    first = next((port for _, port in entries(container, path, "ports")), {})
    ours = {text(first.get("containerPort"), path) or str(DEFAULT_PORT), text(first.get("name"), path), "0", None}
    handlers = (mapping(probe.get(kind), f"{path}.{kind}") for kind in ("httpGet", "tcpSocket"))
    asked = {text(handler.get("port"), path) for handler in handlers}
    return not any("{{" in (name or "") for name in asked | ours) and not asked <= ours


def _handler(container: Mapping[str, Tree], name: str, path: str) -> dict[str, Tree]:
    probe = mapping(container.get(name), f"{path}.{name}")
    return {kind: probe[kind] for kind in ("httpGet", "tcpSocket") if kind in probe}


def _asked(probe: Mapping[str, Tree], port: int, named: Mapping[str, int], path: str) -> tuple[int, str | None] | None:
    """Port and path; None when the probe does not say how to ask."""
    get = mapping(probe.get("httpGet"), f"{path}.httpGet")
    connect = mapping(probe.get("tcpSocket"), f"{path}.tcpSocket")
    if get:
        scheme = text(get.get("scheme"), f"{path}.httpGet.scheme") or "HTTP"
        if scheme.upper() != "HTTP":
            raise TemplateError(f"{path}.httpGet.scheme", f"is {shown(scheme)}; only HTTP is asked")
        return _port(get.get("port"), port, named, f"{path}.httpGet.port"), _path(get, f"{path}.httpGet.path")
    if connect:
        return _port(connect.get("port"), port, named, f"{path}.tcpSocket.port"), None
    return None


def _port(tree: Tree | None, usual: int, named: Mapping[str, int], path: str) -> int:
    wanted = text(tree, path)
    if not wanted or wanted == "0":  # Knative's way to say: the one that gets the requests
        return usual
    if wanted in named:
        return named[wanted]
    if not wanted.isdecimal():
        known: Sequence[str] = sorted(named) or ["a number"]
        raise TemplateError(path, f"is {shown(wanted)}, which ports does not name; use {', '.join(known)}")
    return number(tree, path, least=1, most=_LARGEST_PORT) or usual


def _path(get: Mapping[str, Tree], path: str) -> str:
    found = text(get.get("path"), path) or "/"
    if not found.startswith("/") or not found.isascii() or not found.isprintable() or " " in found:
        raise TemplateError(path, f"is {shown(found)}; a path that begins with / and holds no blanks is needed")
    return found
