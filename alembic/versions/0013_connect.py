"""Whose books an entry of the ledger is in, sealed; organizations with accounts of their own at the gateway."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
