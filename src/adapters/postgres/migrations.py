"""Bringing a database to the schema of this version."""

import io
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command, context, op
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[3]
"""The checkout: migrations live beside src, and Guildhall runs from its checkout everywhere."""


def migrate(owner_url: str) -> None:
    """Upgrade the database of this owner's address to the newest revision; waits for another migration under way."""
    command.upgrade(_config(owner_url), "head")


def head() -> str:
    """The newest revision this version knows."""
    return str(ScriptDirectory.from_config(_config("")).get_current_head())


def offline_sql() -> str:
    """The whole upgrade as SQL text, for people who run it by hand."""
    config = _config("postgresql://")
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    return config.output_buffer.getvalue()


def run(script: Path) -> None:
    """For a revision: run this SQL, statement by statement as the driver wants it."""
    if context.is_offline_mode():
        context.execute(script.read_text())
        return
    connection: Any = op.get_bind().connection.driver_connection
    sa.util.await_only(connection.execute(script.read_text()))


def _config(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic"))
    config.attributes["url"] = owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return config
