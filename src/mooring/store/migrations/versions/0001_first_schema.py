"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_clients()
    _create_resource_groups()
    _create_scenarios()
    _create_artifacts()
    _create_configurations()
    _create_executables()
    _create_artifact_labels()
    _create_deployments()
    _create_revisions()
    _create_replicas()


def _create_clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("secret_hash", sa.String(255), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
    )


def _create_resource_groups() -> None:
    op.create_table(
        "resource_groups",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resource_groups"),
    )


def _create_scenarios() -> None:
    op.create_table(
        "scenarios",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scenarios"),
    )


def _create_artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(255), nullable=False),
        sa.Column("url", sa.String(1024), nullable=False),
        sa.Column("scenario_id", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("execution_id", sa.String(255), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_artifacts_resource_group_resource_groups"
        ),
    )
    op.create_index("ix_artifacts_resource_group_created_at", "artifacts", ["resource_group", "created_at"])


def _create_configurations() -> None:
    op.create_table(
        "configurations",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("scenario_id", sa.String(255), nullable=False),
        sa.Column("executable_id", sa.String(255), nullable=False),
        sa.Column("parameter_bindings", sa.JSON(), nullable=False),
        sa.Column("input_artifact_bindings", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_configurations"),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_configurations_resource_group_resource_groups"
        ),
    )
    op.create_index("ix_configurations_resource_group_created_at", "configurations", ["resource_group", "created_at"])


def _create_executables() -> None:
    op.create_table(
        "executables",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("scenario_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("version_id", sa.String(255), nullable=False),
        sa.Column("deployable", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("input_artifacts", sa.JSON(), nullable=False),
        sa.Column("output_artifacts", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_executables"),
        sa.ForeignKeyConstraint(["scenario_id"], ["scenarios.id"], name="fk_executables_scenario_id_scenarios"),
    )
    op.create_index("ix_executables_scenario_id", "executables", ["scenario_id"])


def _create_artifact_labels() -> None:
    op.create_table(
        "artifact_labels",
        sa.Column("artifact_id", sa.String(255), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("artifact_id", "key", name="pk_artifact_labels"),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifacts.id"], name="fk_artifact_labels_artifact_id_artifacts", ondelete="CASCADE"
        ),
    )


def _create_deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("resource_group", sa.String(255), nullable=False),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("configuration_name", sa.String(256), nullable=False),
        sa.Column("scenario_id", sa.String(255), nullable=False),
        sa.Column("executable_id", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("target_status", sa.String(16), nullable=False),
        sa.Column("last_operation", sa.String(16), nullable=False),
        sa.Column("latest_running_configuration_id", sa.String(255), nullable=True),
        sa.Column("ttl", sa.String(255), nullable=True),
        sa.Column("model_name", sa.String(255), nullable=True),
        sa.Column("serving_revision_id", sa.String(255), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("modified_at", _MOMENT, nullable=False),
        sa.Column("submission_time", _MOMENT, nullable=True),
        sa.Column("start_time", _MOMENT, nullable=True),
        sa.Column("completion_time", _MOMENT, nullable=True),
        sa.Column("lease_token", sa.String(255), nullable=True),
        sa.Column("lease_expires_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.ForeignKeyConstraint(
            ["configuration_id"], ["configurations.id"], name="fk_deployments_configuration_id_configurations"
        ),
        sa.ForeignKeyConstraint(
            ["resource_group"], ["resource_groups.id"], name="fk_deployments_resource_group_resource_groups"
        ),
    )
    op.create_index("ix_deployments_configuration_id", "deployments", ["configuration_id"])
    op.create_index("ix_deployments_model_name", "deployments", ["model_name"])
    op.create_index("ix_deployments_resource_group_created_at", "deployments", ["resource_group", "created_at"])


def _create_revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("deployment_id", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("switched_at", _MOMENT, nullable=True),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.Column("model_folder", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name="fk_revisions_deployment_id_deployments", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_revisions_deployment_id", "revisions", ["deployment_id"])


def _create_replicas() -> None:
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("revision_id", sa.String(255), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ready_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("stop_requested_at", _MOMENT, nullable=True),
        sa.Column("end_seen", sa.Boolean(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replicas"),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name="fk_replicas_revision_id_revisions", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_replicas_revision_id", "replicas", ["revision_id"])
