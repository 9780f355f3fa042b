"""The house's letters (Jinja, styles moved inline) and its calendar invitations (iCalendar)."""

from adapters.templates.calendars import CalendarInvites
from adapters.templates.letters import JinjaLetters

__all__ = ["CalendarInvites", "JinjaLetters"]
