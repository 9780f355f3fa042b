"""Files: what is known of them, and what shows them."""

from pathlib import Path

from adapters.postgres.migrations import run

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the script beside this file."""
    run(Path(__file__).with_suffix(".sql"))
