"""The life, step by step: prints what was done; ends with 1 and the names of the steps that failed."""

import sys
import traceback
from collections.abc import Callable

from tests.clients.python_life import (
    access,
    administration,
    catalog,
    configurations,
    deployments,
    executions,
    secrets,
    tracking,
)
from tests.clients.python_life.world import World, world_of_environment

STEPS = (
    catalog.scenarios,
    catalog.executables,
    catalog.models,
    catalog.meta,
    catalog.health,
    configurations.artifacts,
    configurations.configurations,
    deployments.deployments,
    deployments.deployments_found,
    deployments.deployments_modified_wrongly,
    deployments.deployments_in_bulk,
    deployments.deployment_logs,
    executions.executions,
    executions.executions_completed,
    executions.executions_found,
    executions.executions_in_bulk,
    executions.schedules,
    tracking.metrics,
    tracking.metrics_from_inside,
    tracking.kpis,
    administration.resource_groups,
    administration.repositories,
    administration.applications,
    secrets.object_store_secrets,
    secrets.docker_registry_secrets,
    secrets.secrets_of_the_tenant,
    secrets.secrets_of_the_group,
    access.raw_calls,
    access.credentials_of_the_environment,
    access.a_service_key,
    access.no_token_at_all,
    access.wrong_credentials,
)


def main() -> int:
    """Live through all steps, also after one that failed."""
    world = world_of_environment()
    print(f"generation {world.generation}")  # noqa: T201
    failed = [step.__name__ for step in STEPS if not _live(step, world)]
    if failed:
        print(f"failed: {', '.join(failed)}")  # noqa: T201
    return 1 if failed else 0


def _live(step: Callable[[World], None], world: World) -> bool:
    name = getattr(step, "__name__", "?")
    try:
        step(world)
    except Exception:  # noqa: BLE001 (the steps after it are worth knowing about, too)
        print(f"FAILED {name}\n{traceback.format_exc()}")  # noqa: T201
        return False
    print(f"done   {name}")  # noqa: T201
    return True


if __name__ == "__main__":
    sys.exit(main())
