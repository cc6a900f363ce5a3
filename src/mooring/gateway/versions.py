"""Which configuration Envoy has taken over, and whether it refused any."""

from dataclasses import dataclass

from mooring.gateway.admin import Admin

_PATTERN = r"^(cluster_manager\.cds|listener_manager\.lds|http\.ingress\.rds\.mooring)\.(version_text|update_rejected)$"


@dataclass(frozen=True)
class Versions:
    """Per source (`cds`, `lds`, `rds`): the version in use, and how often one was refused."""

    in_use: dict[str, str]
    refused: dict[str, int]


def read_versions(admin: Admin) -> Versions:
    """Ask Envoy. Raises GatewayError when it does not answer."""
    in_use: dict[str, str] = {}
    refused: dict[str, int] = {}
    for line in admin.stats(_PATTERN).decode().splitlines():
        name, _, value = line.partition(": ")
        source = "rds" if ".rds." in name else name.split(".")[1]
        if name.endswith("version_text"):
            in_use[source] = value.strip('"')
        else:
            refused[source] = int(value)
    return Versions(in_use, refused)
