"""Calendar invitations."""

from datetime import UTC

from icalendar import Calendar, Event, vCalAddress, vText

from application.ports.mail import Attachment, Invite, Invites, Mailbox


class CalendarInvites(Invites):
    """One event per booking: its UID is the booking's id at the house's own host, whatever happens to the booking."""

    def write(self, invite: Invite) -> Attachment:
        """A METHOD:REQUEST or METHOD:CANCEL calendar holding that one event, times in UTC."""
        method = "CANCEL" if invite.cancelled else "REQUEST"
        calendar = Calendar()
        calendar.add("prodid", f"-//{invite.organizer.name}//Bookings//EN")
        calendar.add("version", "2.0")
        calendar.add("calscale", "GREGORIAN")
        calendar.add("method", method)
        calendar.add_component(_event(invite))
        return Attachment("invite.ics", f"text/calendar; charset=utf-8; method={method}", calendar.to_ical())


def _event(invite: Invite) -> Event:
    event = Event()
    event.add("uid", f"{invite.booking_id}@{invite.organizer.host}")
    event.add("sequence", invite.sequence)
    event.add("dtstamp", invite.stamped_at.astimezone(UTC))
    event.add("dtstart", invite.span.starts_at)
    event.add("dtend", invite.span.ends_at)
    event.add("summary", invite.title)
    event.add("description", invite.description)
    if invite.place:
        event.add("location", invite.place)
    event.add("url", invite.url)
    event.add("status", "CANCELLED" if invite.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if invite.cancelled else "OPAQUE")
    event.add("organizer", _party(invite.organizer), encode=False)
    attendee = _party(invite.attendee)
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    return event


def _party(party: Mailbox) -> vCalAddress:
    address = vCalAddress(f"mailto:{party.address}")
    if party.name:
        address.params["CN"] = vText(party.name)
    return address
