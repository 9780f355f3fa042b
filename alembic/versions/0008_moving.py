"""Moving a house: its journal, what has changed meanwhile, and the functions both ends are moved by."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
