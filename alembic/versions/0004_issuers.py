"""Identities of other issuers, and users who come by them."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
