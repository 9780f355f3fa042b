"""Ranking by relevance looks at ids and scores only; whole rows are fetched for the page alone."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
