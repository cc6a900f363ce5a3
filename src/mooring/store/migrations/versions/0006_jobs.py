"""Executions consist of jobs; schedules know when they fire next; a revision knows what its image's name has meant."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("executions", sa.Column("workflow", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("revisions", sa.Column("image", sa.Text(), nullable=True))
    op.add_column("execution_schedules", sa.Column("next_run_at", _MOMENT, nullable=True))
    op.create_index("ix_execution_schedules_next_run_at", "execution_schedules", ["next_run_at"])
    _create_jobs()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("execution_id", sa.String(255), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("stop_requested_at", _MOMENT, nullable=True),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.id"], name="fk_jobs_execution_id_executions", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("execution_id", "node", "attempt", name="uq_jobs_execution_id_node_attempt"),
    )
    op.create_index("ix_jobs_execution_id", "jobs", ["execution_id"])
    op.create_index("ix_jobs_state", "jobs", ["state"])
