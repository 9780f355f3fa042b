"""Commits and claims as functions, for those who reach the database by function calls only."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
