"""The reference model, first part: people and their sessions, organizations, conversations. Plain dictionaries, written
from what such a house means and not from how it is built. Each verb gives the refusals that would be right, or, having
changed the model, what the answer has to say."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Thing = dict[str, Any]
Verdict = set[str] | Thing
"""Codes of which one must be told; or fields, some possibly deep, that the answer must show."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REACH = {"member": 0, "manager": 1, "owner": 2}


class Society:
    """Who there is, who belongs to whom, and who talks to whom."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people: dict[str, Thing] = {}
        self.links: dict[str, Thing] = {}
        self.sessions: dict[str, Thing] = {}
        self.orgs: dict[str, Thing] = {}
        self.members: list[Thing] = []
        self.talks: list[Thing] = []
        self.later: list[Callable[[], None]] = []
        """What the worker has still to do."""

    # --- People -------------------------------------------------------------------------------------------------------

    def person(self, id: str | None) -> Thing:
        """Whoever has that id; nobody in particular when there is none."""
        found = [person for person in self.people.values() if id and person["id"] == id]
        return found[0] if found else {"id": None, "role": "nobody", "suspended": False, "verified": False}

    def admin(self, id: str | None) -> bool:
        return bool(self.person(id)["role"] == "admin")

    def sign_up(self, email: str, password: str, name: str, role: str) -> Verdict:
        """Told alike whether or not the address was new."""
        if email not in self.people:
            self.people[email] = {"email": email, "password": password, "name": name, "role": role, "id": None}
            self.people[email] |= {"verified": False, "suspended": False, "epoch": 1}
        return {}

    def letter(self, email: str, token: str) -> None:
        """A link was mailed."""
        link = {"email": email, "until": self.now + 3 * DAY, "used": False, "epoch": self.people[email]["epoch"]}
        self.links.setdefault(token, link)

    def verify(self, token: str, told: Thing) -> Verdict:
        link = self.links.get(token)
        if link is None or link["used"] or self.now >= link["until"]:
            return {"identity.bad_link"}
        person = self.people[link["email"]]
        if person["epoch"] != link["epoch"]:
            return {"identity.bad_link"}
        link["used"] = person["verified"] = True
        person["id"] = person["id"] or told.get("id")
        return {"email": person["email"], "role": person["role"], "id": person["id"]}

    def sign_in(self, email: str, password: str, told: Thing) -> Verdict:
        person = self.people.get(email)
        if person is None or person["password"] != password or not person["verified"]:
            return {"identity.invalid_credentials"}
        if person["suspended"]:
            return {"identity.suspended"}
        session = {"user": person["id"], "epoch": person["epoch"], "over": False, "tokens": []}
        self.sessions[told.get("session_id", "")] = session
        self._hand_out(session, told)
        return {"user_id": person["id"]}

    def refresh(self, secret: str, told: Thing) -> Verdict:
        """A token is exchanged once; a moment later it finds its successor, after that it ends the session."""
        for session in self.sessions.values():
            for token in session["tokens"]:
                if token["secret"] == secret:
                    return self._exchange(session, token, told)
        return {"identity.bad_refresh_token"}

    def _exchange(self, session: Thing, token: Thing, told: Thing) -> Verdict:
        person, rotated = self.person(session["user"]), token["rotated"]
        if rotated and self.now > rotated + timedelta(seconds=10) and not session["over"]:
            session["over"] = True
            return {"identity.refresh_token_reused"}
        if person["suspended"]:
            return {"identity.suspended"}
        if session["over"] or session["epoch"] != person["epoch"] or (not rotated and self.now >= token["until"]):
            return {"identity.bad_refresh_token"}
        if rotated:
            session["until"] = self.now + HOUR
            return {"refresh_token": session["tokens"][-1]["secret"]}
        token["rotated"] = self.now
        self._hand_out(session, told)
        return {"user_id": session["user"]}

    def _hand_out(self, session: Thing, told: Thing) -> None:
        session["until"] = self.now + HOUR
        session["tokens"].append({"secret": told.get("refresh_token"), "until": self.now + 30 * DAY, "rotated": None})

    def barred(self, session_id: str) -> str:
        """Why this session may not ask, or nothing."""
        session = self.sessions[session_id]
        person = self.person(session["user"])
        if self.now >= session["until"] + timedelta(seconds=5):
            return "identity.token_expired"
        if person["suspended"]:
            return "identity.suspended"
        return "identity.session_over" if session["over"] or session["epoch"] != person["epoch"] else ""

    def end(self, me: str, session_id: str) -> Verdict:
        session = self.sessions.get(session_id)
        if session is None or not (session["user"] == me or self.admin(me)):
            return {"not_found"}
        session["over"] = True
        return {}

    def end_all(self, me: str) -> Verdict:
        """Every session of theirs, and every link that was mailed."""
        self.person(me)["epoch"] += 1
        for session in self.sessions.values():
            session["over"] |= session["user"] == me
        return {}

    def suspend(self, me: str, user: str, restore: bool) -> Verdict:
        if not self.admin(me):
            return {"forbidden"}
        person = self.person(user)
        if person["id"] is None:
            return {"not_found"}
        if user == me:
            return {"identity.own_account"}
        if person["suspended"] is not restore:
            return {"identity.not_suspended" if restore else "identity.already_suspended"}
        person["suspended"] = not restore
        if not restore:
            self.end_all(user)
            self.later.append(lambda: self.retire(user, None))
        return {"id": user}

    def retire(self, user: str, org: str | None) -> None:
        """What they offer (for that organization) is offered no longer."""
        raise NotImplementedError

    # --- Organizations ------------------------------------------------------------------------------------------------

    def member(self, org: str, user: str | None) -> Thing | None:
        found = [each for each in self.members if each["org"] == org and each["user"] == user]
        return found[0] if found else None

    def manages(self, org: str, user: str | None) -> bool:
        """Owners and managers decide for an organization, and so do admins."""
        member = self.member(org, user)
        return self.admin(user) or (member is not None and member["role"] != "member")

    def found(self, me: str, org: str, name: str, *, solo: bool = False) -> Verdict:
        if self.person(me)["role"] == "customer":
            return {"forbidden"}
        self.orgs[org] = {"name": name, "solo": solo}
        self.members.append({"org": org, "user": me, "role": "owner", "version": 1})
        return {"name": name, "solo": solo}

    def _may(self, me: str, org: str, needed: str) -> Verdict:
        """Why not, as far as it lies in the asker."""
        if org not in self.orgs:
            return {"not_found"}
        member = self.member(org, me)
        if self.admin(me):
            return set()
        if member is None:
            return {"not_found"}
        return set() if REACH[member["role"]] >= REACH[needed] else {"organization.may_not"}

    def rename(self, me: str, org: str, name: str) -> Verdict:
        if no := self._may(me, org, "manager"):
            return no
        self.orgs[org]["name"] = name
        return {"name": name}

    def add_member(self, me: str, org: str, user: str, role: str) -> Verdict:
        if no := self._may(me, org, "owner"):
            return no
        person = self.person(user)
        if not person["verified"] or person["suspended"]:
            return {"organization.cannot_join"}
        if self.member(org, user):
            return {"organization.already_member"}
        self.members.append({"org": org, "user": user, "role": role, "version": 1})
        self.orgs[org]["solo"] = False
        return {"organization_id": org, "user_id": user, "role": role}

    def _last_owner(self, org: str, member: Thing) -> bool:
        owners = [each for each in self.members if each["org"] == org and each["role"] == "owner"]
        return owners == [member]

    def change_member(self, me: str, org: str, user: str, role: str, expected: int | None) -> Verdict:
        if no := self._may(me, org, "owner"):
            return no
        if (member := self.member(org, user)) is None:
            return {"not_found"}
        if expected not in (None, member["version"]):
            return {"outdated"}
        if role != "owner" and self._last_owner(org, member):
            return {"organization.last_owner"}
        member["version"] += role != member["role"]
        member["role"] = role
        return {"role": role, "version": member["version"]}

    def remove_member(self, me: str, org: str, user: str) -> Verdict:
        if no := self._may(me, org, "member" if me == user else "owner"):
            return no
        if (member := self.member(org, user)) is None:
            return {"not_found"}
        if self._last_owner(org, member):
            return {"organization.last_owner"}
        self.members.remove(member)
        self.later.append(lambda: self.retire(user, org))
        return {}

    # --- Conversations ------------------------------------------------------------------------------------------------

    def talk(self, **about: Any) -> Thing | None:
        """The conversation of that id, booking or pair."""
        ((name, value),) = about.items()
        found = [talk for talk in self.talks if value is not None and talk[name] == value]
        return found[0] if found else None

    def open_talk(self, one: str, other: str, *, id: str | None = None, booking: str | None = None) -> Thing:
        pair = None if booking else frozenset((one, other))
        talk: Thing = {"id": id, "booking": booking, "pair": pair, "read": {one: 0, other: 0}, "said": []}
        self.talks.append(talk)
        return talk

    def talk_to(self, me: str, other: str, told: Thing) -> Verdict:
        """Two people have one conversation, whoever asks for it and how often."""
        if other == me:
            return {"conversation.with_yourself"}
        found = self.talk(pair=frozenset((me, other))) or self.open_talk(me, other, id=told.get("id"))
        return {"id": found["id"], "kind": "direct"}

    def say(self, me: str, talk_id: str, text: str, told: Thing) -> Verdict:
        talk = self.talk(id=talk_id)
        if talk is None or me not in talk["read"]:
            return {"not_found"}
        message = {"id": told.get("id"), "sender": me, "text": text, "at": self.now, "version": 1}
        talk["said"].append(message)
        return {"sequence": len(talk["said"]), "text": text, "sender_id": me}

    def reword(self, me: str, message_id: str, text: str, expected: int | None) -> Verdict:
        for talk in self.talks:
            for message in talk["said"]:
                if message["id"] == message_id and me in talk["read"]:
                    if no := self._settled(me, message, expected):
                        return no
                    message["version"] += (text, self.now) != (message["text"], message.get("edited"))
                    message |= {"text": text, "edited": self.now}
                    return {"text": text, "edited_at": self.now, "version": message["version"]}
        return {"not_found"}

    def _settled(self, me: str, message: Thing, expected: int | None) -> set[str]:
        no = {"outdated"} if expected not in (None, message["version"]) else set()
        if message["sender"] != me:
            no.add("message.not_the_sender")
        if self.now >= message["at"] + timedelta(minutes=15):
            no.add("message.edit_window_closed")
        return no

    def mark_read(self, me: str, talk_id: str, sequence: int) -> Verdict:
        talk = self.talk(id=talk_id)
        if talk is None or me not in talk["read"]:
            return {"not_found"}
        talk["read"][me] = max(talk["read"][me], min(sequence, len(talk["said"])))
        return {"user_id": me, "read_sequence": talk["read"][me]}

    def inbox(self, me: str) -> list[Thing]:
        """My conversations in which something was said, the liveliest first, and how much of each I have not read."""
        mine = [talk for talk in reversed(self.talks) if me in talk["read"] and talk["said"]]
        found = []
        for talk in sorted(mine, key=lambda talk: talk["said"][-1]["at"], reverse=True):
            own = max((i for i, message in enumerate(talk["said"], 1) if message["sender"] == me), default=0)
            unread = max(0, len(talk["said"]) - max(own, talk["read"][me]))
            found.append({"unread": unread, "last_sequence": len(talk["said"]), "last_text": talk["said"][-1]["text"]})
        return found
