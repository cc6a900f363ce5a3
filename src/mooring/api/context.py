"""What the API needs from the rest of the control plane."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mooring.api.tokens import TokenIssuer
from mooring.services.datasets import LARGEST_BYTES, ObjectStores
from mooring.services.destination_tokens import Outside
from mooring.services.logs import ReplicaLogs
from mooring.services.room import Rooms
from mooring.store.database import Database
from mooring.store.vault import Vault


@dataclass(frozen=True)
class ApiContext:
    """Everything that handlers use, made by whoever starts the API.

    `public_url` is how clients reach the gateway (`http://host:port`, no slash at the end). `wake` is called after
    each commit that controllers should notice. `webhook` takes the headers (names in lower case) and the body of a
    registry's call and says whether its signature is right; None when there is no registry. `local_model_folders`:
    models below these may be deployed by path; `local_git_folders`: repositories below these may be read. `vault`
    seals secrets before they are stored. `object_stores` have the dataset files; one of these has at most
    `max_dataset_bytes`, any other body `max_request_bytes`. Who tells of a push knows `git_webhook_secret`.
    `outside` is the way to where destinations point. `route` is called after a destination has changed, and returns
    once the gateway knows. `rooms` tells whether there is room for one more deployment.
    """

    database: Database
    tokens: TokenIssuer
    vault: Vault
    public_url: str
    wake: Callable[[], None]
    logs: ReplicaLogs
    ready: Callable[[], bool]
    max_request_bytes: int
    object_stores: ObjectStores
    git_webhook_secret: str = field(repr=False)
    outside: Outside
    route: Callable[[], None]
    max_dataset_bytes: int = LARGEST_BYTES
    webhook: Callable[[Mapping[str, str], bytes], bool] | None = None
    local_model_folders: tuple[Path, ...] = ()
    local_git_folders: tuple[Path, ...] = ()
    max_resource_groups: int = 1000
    rooms: Rooms = field(default_factory=Rooms)
