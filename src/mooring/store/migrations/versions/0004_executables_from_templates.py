"""Executables know the application, the file and the template that they come from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("executables", sa.Column("application", sa.String(64), nullable=True))
    op.add_column("executables", sa.Column("file", sa.String(1024), nullable=False, server_default=""))
    op.add_column("executables", sa.Column("template", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index("ix_executables_application", "executables", ["application"])
