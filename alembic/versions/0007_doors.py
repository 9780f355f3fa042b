"""Signing in by way of Google and GitHub."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
