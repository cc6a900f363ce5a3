"""What an execution measured is read piece by piece, in the order of arrival, without being sorted for each piece."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_metrics_resource_group_execution_id_id", "metrics", ["resource_group", "execution_id", "id"])
    op.drop_index("ix_metrics_resource_group_execution_id", "metrics")
