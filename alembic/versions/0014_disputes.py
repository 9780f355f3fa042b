"""Payments in depth: money set aside, disputes, warnings of fraud, and saved cards."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
