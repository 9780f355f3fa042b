"""Our books held against the gateway's: reconciliations, and what they leave for a person."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
