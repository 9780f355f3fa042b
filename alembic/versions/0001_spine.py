"""The spine: identity, jobs, scheduling, bookings, payments, reviews, messages and the house's own tables."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
