"""The doctor: every part of the house looked at, each with what was seen and how to put it right."""

import asyncio
from collections.abc import AsyncIterator

from entrypoints.container.examining.database import database
from entrypoints.container.examining.doors import keeper
from entrypoints.container.examining.findings import Finding, Verdict, fail, ok, warn
from entrypoints.container.examining.home import at_home
from entrypoints.container.examining.issuers import issuers
from entrypoints.container.examining.mail import mail_server
from entrypoints.container.examining.project import project
from entrypoints.settings import MailCarrier, Settings, Storage

__all__ = ["Finding", "Verdict", "abroad", "at_home", "fail", "ok", "warn"]


async def abroad(settings: Settings) -> AsyncIterator[Finding]:
    """What has to be asked of others: the mail server, issuers of tokens, and the database."""
    if settings.mail is MailCarrier.SMTP:
        yield await asyncio.to_thread(mail_server, settings)
    async for finding in issuers(settings):
        yield finding
    if (door := await keeper(settings)) is not None:
        yield door
    if settings.storage is Storage.MEMORY:
        yield ok("database", "none: rows are kept in memory, and forgotten on exit")
        return
    look = project if settings.storage is Storage.SUPABASE else database
    async for finding in look(settings):
        yield finding
