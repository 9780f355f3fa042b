"""Whose tokens are ours, organizations told by an issuer, and addresses that change."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
