"""Executions, schedules, metrics, secrets, repositories, applications; roles and groups of clients."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _extend_artifacts()
    _extend_clients()
    _create_store_facts()
    _create_signing_keys()
    _create_work_leases()
    _create_node_requests()
    _create_repositories()
    _create_applications()
    _create_generic_secrets()
    _create_object_store_secrets()
    _create_docker_registry_secrets()
    _create_executions()
    _create_execution_schedules()
    _create_metric_resources()
    _create_metrics()
    _create_metric_texts()


def _extend_artifacts() -> None:
    op.add_column("artifacts", sa.Column("configuration_id", sa.String(255), nullable=True))


def _extend_clients() -> None:
    # Whoever could get tokens before could do everything.
    op.add_column("clients", sa.Column("role", sa.String(16), nullable=False, server_default="admin"))
    op.add_column("clients", sa.Column("groups", sa.JSON(), nullable=False, server_default='["*"]'))
    op.add_column("clients", sa.Column("previous_secret_hash", sa.String(255), nullable=True))
    op.add_column("clients", sa.Column("previous_secret_until", _MOMENT, nullable=True))
    op.add_column("clients", sa.Column("tokens_valid_from", _MOMENT, nullable=True))
    op.add_column("clients", sa.Column("deleted_at", _MOMENT, nullable=True))


def _create_store_facts() -> None:
    op.create_table(
        "store_facts",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_store_facts"),
    )


def _create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
    )


def _create_work_leases() -> None:
    op.create_table(
        "work_leases",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token", sa.String(255), nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_work_leases"),
    )


def _create_node_requests() -> None:
    op.create_table(
        "node_requests",
        sa.Column("resource_plan", sa.String(64), nullable=False),
        sa.Column("requested", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("resource_plan", name="pk_node_requests"),
    )


def _create_repositories() -> None:
    op.create_table(
        "repositories",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("url", sa.String(1024), nullable=False),
        sa.Column("url_key", sa.String(1024), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_repositories"),
        sa.UniqueConstraint("url_key", name="uq_repositories_url_key"),
    )


def _create_applications() -> None:
    op.create_table(
        "applications",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("repository_url", sa.String(1024), nullable=False),
        sa.Column("url_key", sa.String(1024), nullable=False),
        sa.Column("revision", sa.String(255), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.Column("health_status", sa.String(16), nullable=False),
        sa.Column("sync_status", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("synced_revision", sa.String(255), nullable=True),
        sa.Column("sync_started_at", _MOMENT, nullable=True),
        sa.Column("sync_finished_at", _MOMENT, nullable=True),
        sa.Column("reconciled_at", _MOMENT, nullable=True),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("refresh_requested_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_applications"),
        sa.UniqueConstraint("url_key", "revision", "path", name="uq_applications_url_key_revision_path"),
    )


def _create_generic_secrets() -> None:
    op.create_table(
        "generic_secrets",
        sa.Column("scope", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_generic_secrets"),
    )


def _create_object_store_secrets() -> None:
    op.create_table(
        "object_store_secrets",
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_object_store_secrets_resource_group_resource_groups"
        ),
        sa.PrimaryKeyConstraint("resource_group", "name", name="pk_object_store_secrets"),
    )


def _create_docker_registry_secrets() -> None:
    op.create_table(
        "docker_registry_secrets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_docker_registry_secrets"),
    )


def _create_executions() -> None:
    op.create_table(
        "executions",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("configuration_name", sa.String(256), nullable=False),
        sa.Column("scenario_id", sa.String(255), nullable=False),
        sa.Column("executable_id", sa.String(255), nullable=False),
        sa.Column("execution_schedule_id", sa.String(255), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("status_details", sa.JSON(), nullable=False),
        sa.Column("target_status", sa.String(16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.Column("submission_time", _MOMENT, nullable=True),
        sa.Column("start_time", _MOMENT, nullable=True),
        sa.Column("completion_time", _MOMENT, nullable=True),
        sa.Column("lease_token", sa.String(255), nullable=True),
        sa.Column("lease_expires_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["configuration_id"], ["configurations.id"], name="fk_executions_configuration_id_configurations"
        ),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_executions_resource_group_resource_groups"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_executions"),
    )
    op.create_index("ix_executions_configuration_id", "executions", ["configuration_id"])
    op.create_index("ix_executions_execution_schedule_id", "executions", ["execution_schedule_id"])
    op.create_index("ix_executions_resource_group_created_at", "executions", ["resource_group", "created_at"])


def _create_execution_schedules() -> None:
    op.create_table(
        "execution_schedules",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("cron", sa.String(255), nullable=False),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("start", _MOMENT, nullable=True),
        sa.Column("end", _MOMENT, nullable=True),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["configuration_id"], ["configurations.id"], name="fk_execution_schedules_configuration_id_configurations"
        ),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_execution_schedules_resource_group_resource_groups"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_execution_schedules"),
    )
    op.create_index("ix_execution_schedules_configuration_id", "execution_schedules", ["configuration_id"])
    op.create_index(
        "ix_execution_schedules_resource_group_created_at", "execution_schedules", ["resource_group", "created_at"]
    )


def _create_metric_resources() -> None:
    op.create_table(
        "metric_resources",
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("execution_id", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.Column("custom_info_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("resource_group", "execution_id", name="pk_metric_resources"),
    )


def _create_metrics() -> None:
    op.create_table(
        "metrics",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("execution_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("timestamp", _MOMENT, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_group", "execution_id"],
            ["metric_resources.resource_group", "metric_resources.execution_id"],
            name="fk_metrics_resource_group_execution_id_metric_resources",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_metrics"),
    )
    op.create_index("ix_metrics_resource_group_execution_id", "metrics", ["resource_group", "execution_id"])


def _create_metric_texts() -> None:
    op.create_table(
        "metric_texts",
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("execution_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_group", "execution_id"],
            ["metric_resources.resource_group", "metric_resources.execution_id"],
            name="fk_metric_texts_resource_group_execution_id_metric_resources",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("resource_group", "execution_id", "kind", "name", name="pk_metric_texts"),
    )
