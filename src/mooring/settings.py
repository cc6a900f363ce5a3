"""All settings, in one typed model. Each comes from the command line, or `MOORING_<NAME>` in the environment.

The text under a field is its reference (`docs/settings.md` is made from it).
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mooring.domain.stand_ins import StandIn


class Settings(BaseSettings):
    """How one `mooring up` runs."""

    model_config = SettingsConfigDict(env_prefix="MOORING_", use_attribute_docstrings=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path.home() / ".mooring")
    """Everything of this installation lies here."""

    host: str = "127.0.0.1"
    """The address that the gateway listens on."""

    port: int = Field(default=8080, ge=0, le=65535)
    """The port that the gateway listens on; 0 takes a free one at the first start and keeps it."""

    database_url: SecretStr | None = None
    """Where the state lies: `postgresql://USER:PASSWORD@HOST/NAME`, which several control planes may share; a SQLite
    file in the home when not given. Give it in the environment when it holds a password: others can see a command."""

    database_connections: int = Field(default=60, ge=5)
    """How many connections to PostgreSQL one control plane has at most."""

    database_connect_seconds: float = Field(default=5.0, gt=0)
    """How long connecting to PostgreSQL may take (whole seconds, 2 at least)."""

    database_statement_seconds: float = Field(default=30.0, gt=0)
    """How long one query of PostgreSQL may take, and how long a request waits for a connection or for other writers."""

    encryption_key: SecretStr | None = None
    """Seals secrets in the store: 32 bytes in Base64. Kept in the home's `keys/` when not given; control planes that
    share a store need the same one."""

    mlflow_uri: str | None = None
    """The MLflow server whose registry is watched; none, no watching."""

    with_mlflow: bool = False
    """Also run an MLflow server of our own, with its data in the home, and watch its registry."""

    builder_poll_seconds: float = Field(default=2.0, gt=0)
    """How often the registry is asked for changes (a webhook, where MLflow allows it, is quicker)."""

    builder_resource_group: str = "default"
    """The resource group in which registered models are deployed."""

    public_url: str | None = None
    """How clients reach the gateway, when that is not `http://HOST:PORT` (behind a load balancer, say)."""

    token_lifetime_seconds: int = Field(default=43199, gt=0)
    """How long an access token is valid. The SDK asks for a new one in the last hour."""

    replica_start_seconds: float = Field(default=300.0, gt=0)
    """A replica that is not ready after this time has failed."""

    fork_servers: bool = True
    """Replicas of logged models are forked from a process that has imported everything already, one per resource group
    that has any: milliseconds instead of seconds, and a tenth of the memory."""

    fork_seconds: float = Field(default=20.0, gt=0)
    """A forked replica that is not ready after this time is started afresh, without a fork."""

    replica_stop_seconds: float = Field(default=30.0, gt=0)
    """A replica that was asked to end is killed after this time; running requests may finish within it."""

    model_folders: tuple[Path, ...] = ()
    """Models in these local folders may be deployed by their path; by default none, for a path is not a permission."""

    object_store_hosts: tuple[str, ...] = ()
    """Hosts that object store secrets may name although they are this machine or link-local (as a JSON list)."""

    destination_hosts: tuple[str, ...] = ()
    """Hosts that destinations may name for tokens and checks although they are this machine or link-local; this
    installation's own gateway always can be named (as a JSON list)."""

    runtime: Literal["auto", "process", "container"] = "auto"
    """How users' images are run: `process` in a sandbox, by their stand-ins; `container` by podman or docker; `auto` by
    its stand-in where an image has one, else by the engine that answers."""

    stand_ins: dict[str, StandIn] = {}
    """What runs instead of an image: a JSON object of image reference → `folder`, and optionally `path` (where it is
    seen inside, `/app/src`), `requirements` (a file in it, `requirements.txt`), `command` (a list) and `python` (a
    version). `mooring up --stand-in IMAGE=FOLDER` adds one. A reference without a tag stands for all tags."""

    stand_ins_file: Path | None = None
    """The same, as a YAML or JSON file; its folders are relative to it."""

    environment_seconds: float = Field(default=1800.0, gt=0)
    """How long making the Python environment of a stand-in may take."""

    allow_unsandboxed: bool = False
    """Where bubblewrap does not work, run stand-ins without a sandbox: they see all that Mooring sees. Only for code
    that you would run yourself."""

    sandbox_jobs_network: Literal["own", "host"] = "own"
    """Whether executions in a sandbox have a network of their own, from which only the gateway is reached, or may use
    this machine's (to download, say). Servers always have their own."""

    container_engine: str | None = None
    """The container engine, `podman` or `docker` or the path of one; when not given, whichever answers first."""

    container_engine_options: tuple[str, ...] = ()
    """Options added to the engine's `create` (as a JSON list), such as `["--runtime", "runc"]`. They win over ours."""

    container_pull_options: tuple[str, ...] = ()
    """Options added to the engine's `pull` (as a JSON list), such as podman's `["--cert-dir", "/etc/our-registry"]`."""

    image_registry_hosts: tuple[str, ...] = ()
    """Hosts of registries that images may be pulled from although they are this machine or link-local (as a JSON
    list, without ports)."""

    container_processes: int = Field(default=4096, ge=16)
    """How many processes and threads one container may have."""

    image_pull_seconds: float = Field(default=600.0, gt=0)
    """How long pulling an image may take."""

    replica_open_files: int = Field(default=4096, ge=64)
    """How many files and connections one replica may have open."""

    run_disk_bytes: int = Field(default=21_474_836_480, ge=1_048_576)
    """How much one replica or one step of an execution may write to its own folders, on this machine's disk; it is
    ended when it has written more. (What a container engine keeps of its containers is the engine's affair.)"""

    jobs_at_once: int | None = Field(default=None, ge=1)
    """How many steps of executions run at a time; when not given, as many as the processors allow for their resource
    plans, and one at least. The others wait for their turn; resource groups take turns."""

    execution_seconds: float | None = Field(default=None, gt=0)
    """How long an execution may run whose workflow has no `activeDeadlineSeconds` of its own; when not given, for
    ever. Without it, steps that never end keep their places until somebody stops them."""

    crash_limit: int = Field(default=5, ge=1)
    """A replica that dies is replaced; after this many deaths within `crash_window_seconds` the status is DEAD."""

    crash_window_seconds: float = Field(default=600.0, gt=0)
    """Deaths of replicas older than this are forgotten."""

    dead_days: float = Field(default=7.0, gt=0)
    """A deployment that has been DEAD for so many days, and serves nothing, is deleted."""

    standby_seconds: float = Field(default=10.0, ge=0)
    """How long a replaced version stays ready beside its successor. Traffic returns if that one dies."""

    prepare_seconds: float = Field(default=1800.0, gt=0)
    """How long a new version may wait for its model (a registry that is away, a full disk) before it has failed."""

    silence_seconds: float = Field(default=120.0, gt=0)
    """A ready replica that does not answer for this time is ended and replaced."""

    rollout_unready_seconds: float = Field(default=15.0, gt=0)
    """A new version that is watched (`Mooring-Rollout: return`) has failed when a replica of it does not answer for
    this time."""

    drain_seconds: float = Field(default=1.0, ge=0)
    """How long an old replica goes on after the gateway has stopped sending to it, before it is asked to end."""

    max_resource_groups: int = Field(default=1000, ge=1)
    """How many resource groups there may be; creating another one is refused."""

    group_replicas: int | None = Field(default=None, ge=1)
    """How many replicas a resource group may have; as many as fit when not given. While a deployment changes, its old
    and its new version count."""

    memory_reserve_bytes: int = Field(default=134_217_728, ge=0)
    """A deployment, or a change of one, is refused when the machine would have less memory left than this."""

    replica_memory_bytes: int = Field(default=268_435_456, ge=0)
    """How much memory a replica is taken to need that was not measured, or its resource plan where that is less. What
    changes is measured: its new version is taken to need as much as the one that runs."""

    request_timeout_seconds: float = Field(default=60.0, gt=0)
    """How long the gateway waits for an answer to an inference request."""

    max_request_bytes: int = Field(default=104_857_600, gt=0)
    """The largest body of a request to a model. (The API takes 1 MiB, of configurations, artifacts and metrics 8.)"""

    control_loop_seconds: float = Field(default=0.5, gt=0)
    """How often a deployment with nothing to do is looked at; one in transition is looked at every 0.1 s."""

    lease_seconds: float = Field(default=30.0, gt=0)
    """A controller that has not come back after this time has lost what it was working on."""

    sync_seconds: float = Field(default=180.0, gt=0)
    """How often an application's repository is looked at (a refresh, or a push's webhook, is quicker)."""

    schedule_catch_up_seconds: float = Field(default=600.0, ge=0)
    """A schedule whose run was missed (nothing was running, or its clock has jumped) makes up for it within this time;
    of several missed runs, for the last one only."""

    git_seconds: float = Field(default=120.0, gt=0)
    """How long git may take to fetch a repository."""

    git_repository_bytes: int = Field(default=2_147_483_648, ge=1_048_576)
    """A repository that needs more than this on the disk is refused."""

    git_hosts: tuple[str, ...] = ()
    """Hosts that repositories may be on although they are this machine or link-local (as a JSON list)."""

    git_folders: tuple[Path, ...] = ()
    """Repositories below these local folders may be read by their path (as a JSON list); by default none, for a path
    is not a permission."""

    git_webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    """What GitHub or GitLab prove with that a push is theirs. Kept in the home's `keys/git-webhook.secret` when not
    given; control planes that share a store need the same one."""

    log_file_bytes: int = Field(default=10_485_760, ge=65_536)
    """A replica's log is rotated at this size; one older file is kept."""

    gateway_start_seconds: float = Field(default=15.0, gt=0)
    """How long the gateway may take to answer after its start, or to take over a new configuration."""
