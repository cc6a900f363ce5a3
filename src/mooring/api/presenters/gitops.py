"""Repositories and applications."""

from typing import Any

from mooring.store.tables import Application, Repository


def repository(row: Repository) -> dict[str, Any]:
    return {"name": row.name, "url": row.url, "status": row.status}


def application(row: Application) -> dict[str, Any]:
    return {
        "applicationName": row.name,
        "repositoryUrl": row.repository_url,
        "revision": row.revision,
        "path": row.path,
    }


def application_status(row: Application) -> dict[str, Any]:
    """How its last sync went. What is not known yet is left out."""
    source = {"repoURL": row.repository_url, "path": row.path, "revision": row.synced_revision}
    shown = {
        "healthStatus": row.health_status,
        "syncStatus": row.sync_status,
        "message": row.message,
        "source": _known(source),
        "syncStartedAt": row.sync_started_at,
        "syncFinishedAt": row.sync_finished_at,
        "reconciledAt": row.reconciled_at,
        "syncResourcesStatus": row.resources,
        "syncRessourcesStatus": row.resources,  # the AI API's older spelling, which some clients read
    }
    return _known(shown)


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
