"""Rollouts: how a revision is to be watched, and from what another one has returned to it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("revisions", sa.Column("rollout", sa.JSON(), nullable=True))
    op.add_column("revisions", sa.Column("returned", sa.JSON(), nullable=True))
