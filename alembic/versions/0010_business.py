"""From a purchase to a running business: invitations, professions, onboarding, and what the gateway bills."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
