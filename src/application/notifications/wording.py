"""How moments and amounts read to people, the same in a mail as on the screen."""

from datetime import date, datetime, timedelta

from domain.shared.money import Money
from domain.shared.time import Span, zone


def amount(money: Money) -> str:
    """With the currency's own decimal places: "1,250.00 EUR", "3,000 JPY"."""
    return str(money)


def at(moment: datetime, zone_name: str) -> str:
    """Date and time there, with the zone named: "Thursday 12 March 2026, 10:00 (Europe/Berlin, UTC+1)"."""
    local = moment.astimezone(zone(zone_name))
    return f"{_date(local)}, {local:%H:%M} ({zone_name}, {_offset(local)})"


def day(on: date) -> str:
    """A date on paper and in mails: "12 March 2026"."""
    return f"{on.day} {on:%B %Y}"


def when(span: Span, zone_name: str) -> str:
    """From when to when, there. Where the clocks change in between, both offsets are said."""
    starts, ends = (moment.astimezone(zone(zone_name)) for moment in (span.starts_at, span.ends_at))
    until = f"{ends:%H:%M}" if starts.date() == ends.date() else f"{_date(ends)}, {ends:%H:%M}"
    if starts.utcoffset() == ends.utcoffset():
        return f"{_date(starts)}, {starts:%H:%M}–{until} ({zone_name}, {_offset(starts)})"
    return f"{_date(starts)}, {starts:%H:%M} {_offset(starts)} – {until} {_offset(ends)} ({zone_name})"


def _date(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B %Y}"


def _offset(local: datetime) -> str:
    offset = local.utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")
