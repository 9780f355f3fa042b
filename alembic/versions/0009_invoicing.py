"""Quotes and invoices, the papers that leave the house, and what was paid of them."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
