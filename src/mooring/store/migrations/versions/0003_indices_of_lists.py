"""Indices: pages of lists are found without sorting and without reading other groups, work without reading all."""

from alembic import op

revision = "0003"
down_revision = "0002"

_ORDER = ("created_at", "id")
_REPLACED = {
    "artifacts": (("resource_group", "created_at"),),
    "configurations": (("resource_group", "created_at"),),
    "deployments": (("resource_group", "created_at"), ("configuration_id",)),
    "executions": (("resource_group", "created_at"), ("configuration_id",), ("execution_schedule_id",)),
    "execution_schedules": (("resource_group", "created_at"), ("configuration_id",)),
}
_FILTERS = {
    "artifacts": ("scenario_id", "execution_id", "name", "kind"),
    "configurations": ("scenario_id", "executable_id"),
    "deployments": ("scenario_id", "executable_id", "status"),
    "executions": ("scenario_id", "executable_id", "status"),
    "execution_schedules": (),
}
_OF_ONE_GROUP = {
    "deployments": ("configuration_id",),
    "executions": ("configuration_id", "execution_schedule_id"),
    "execution_schedules": ("configuration_id",),
}
"""What these name belongs to one group, so that the group need not be in the index."""

_WORK = {
    "deployments": (("status", "target_status", "id"), ("serving_revision_id",)),
    "executions": (("status", "target_status", "id"), ("target_status", "status", "id")),
}
"""What controllers ask for again and again."""


def upgrade() -> None:
    for table, replaced in _REPLACED.items():
        for old in replaced:
            op.drop_index(_name(table, *old), table_name=table)
        _create(table, "resource_group", *_ORDER)
        for column in _FILTERS[table]:
            _create(table, "resource_group", column, *_ORDER)
        for column in _OF_ONE_GROUP.get(table, ()):
            _create(table, column, *_ORDER)
        for columns in _WORK.get(table, ()):
            _create(table, *columns)


def _create(table: str, *columns: str) -> None:
    op.create_index(_name(table, *columns), table, list(columns))


def _name(table: str, *columns: str) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
