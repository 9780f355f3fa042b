"""The spine: identity, jobs, scheduling, bookings, payments, reviews, messages and the house's own tables."""

from pathlib import Path

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None
SCRIPT = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Run the script beside this file, statement by statement as the driver wants it."""
    script = SCRIPT.read_text()
    if context.is_offline_mode():
        context.execute(script)
        return
    connection = op.get_bind().connection.driver_connection
    sa.util.await_only(connection.execute(script))
