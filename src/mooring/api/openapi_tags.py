"""The chapters of the interactive documentation, in the order in which people need them."""

from typing import Any

TAGS = {
    "Scenario": "Use cases, with their versions and executables.",
    "Executable": "What can be configured, then deployed or executed.",
    "Configuration": "Values for an executable's parameters and inputs. They neither change nor go.",
    "Artifact": "References to data and models.",
    "Deployment": "What is served under one URL that stays the same.",
    "Execution": "One run of a workflow.",
    "Execution schedule": "Executions at set times, in UTC.",
    "Metrics": "What executions have measured: numbers, tags and further information.",
    "Dataset": "Files in the resource group's object store.",
    "Analytics": "How many objects there are.",
    "Resource group": "Rooms for teams: objects of one are invisible from another.",
    "Repository": "Git repositories with templates.",
    "Application": "Folders of repositories that are kept in step.",
    "Object store secret": "Access to where artifacts lie. Secrets are never answered.",
    "Docker registry secret": "Access to where images lie. Secrets are never answered.",
    "Secret": "Secrets for containers. Values are never answered.",
    "Resource quota": "How much there may be, and how much there is.",
    "Resource": "Machines and the plans of what runs on them.",
    "Service": "The parts of this installation.",
    "Tenant": "This installation.",
    "Meta": "What this server can do.",
    "Health": "Whether this server works.",
    "Tracking": "Metrics from inside of an execution.",
    "Webhook": "Where others tell what has happened.",
    "Token": "Access tokens, by OAuth 2 client credentials.",
}


def used_in(document: dict[str, Any]) -> list[dict[str, str]]:
    """The chapters that have operations in this document; one that is not in our list comes before the last ones."""
    used = {tag for operations in document["paths"].values() for each in operations.values() for tag in each["tags"]}
    known = [tag for tag in TAGS if tag in used]
    return [{"name": tag, "description": TAGS[tag]} for tag in known] + [
        {"name": tag} for tag in sorted(used - {*known})
    ]
