"""Whose books an entry of the ledger is in; the ledger sealed; what its accounts come to."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
