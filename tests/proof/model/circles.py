"""Rules about people: accounts and sessions, organizations, conversations, and who looks after the house."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple

from tests.proof.model.machine import (
    NOWHERE,
    PASSWORD,
    RIGHT,
    SELDOM,
    Town,
    devices,
    doing,
    jobs,
    people,
    secrets,
)

newcomers, orgs, talks, messages = Bundle("newcomers"), Bundle("orgs"), Bundle("talks"), Bundle("messages")
ROLES = st.sampled_from(("member", "manager", "owner"))


class Circles(Town):
    """People and what they are to one another."""

    # --- Accounts and sessions ----------------------------------------------------------------------------------------

    @doing(
        target=newcomers, name=st.sampled_from(("Eva", "Finn", "Gil")), role=st.sampled_from(("customer", "provider"))
    )
    def sign_up(self, name: str, role: str) -> str:
        """A new person, or one who is known already and told the same."""
        self.signs_up(f"{name.lower()}@example.org", name, role)
        return f"{name.lower()}@example.org"

    @doing(target=people, email=newcomers)
    def verify(self, email: str) -> Any:
        """The latest link to that address is used, perhaps a second time."""
        tokens = [token for token, link in self.model.links.items() if link["email"] == email]
        known = set(self.emails)
        me = self.verified(tokens[-1] if tokens else "no such link")
        return me if me and me not in known else multiple()

    @doing(target=devices, me=people, wrong=SELDOM)
    def sign_in(self, me: str, wrong: bool) -> Any:
        """At another device, or with a wrong password."""
        told = self.signed_in(self.emails[me], "not the password" if wrong else PASSWORD)
        return told["session_id"] if told else multiple()

    @doing(email=newcomers)
    def sign_in_unverified(self, email: str) -> None:
        """Whoever has not confirmed the address is told nothing more than a stranger."""
        self.signed_in(email, PASSWORD)

    @doing(target=secrets, me=people)
    def refresh(self, me: str) -> Any:
        """The current token of somebody's device is exchanged; the old one is kept for later."""
        secret = self.model.sessions[self.device(me)]["tokens"][-1]["secret"]
        return secret if self.refreshed(secret) else multiple()

    @doing(secret=secrets)
    def refresh_again(self, secret: str) -> None:
        """An exchanged token comes back: at once, or too late."""
        self.refreshed(secret)

    @doing(session=devices)
    def who_am_i(self, session: str) -> None:
        """Whatever became of the device."""
        me = self.model.sessions[session]["user"]
        self.does(me, "GET", "/v1/me", lambda _: {"id": me, "email": self.emails[me]}, session=session)

    @doing(session=devices)
    def sign_out(self, session: str) -> None:
        """This device."""
        me = self.model.sessions[session]["user"]
        self.does(me, "DELETE", "/v1/sessions/current", lambda _: self.model.end(me, session), session=session)

    @doing(me=people, session=devices)
    def end_session(self, me: str, session: str) -> None:
        """A device, perhaps somebody else's."""
        self.does(me, "DELETE", f"/v1/sessions/{session}", lambda _: self.model.end(me, session))

    @doing(me=people, sure=SELDOM)
    def sign_out_everywhere(self, me: str, sure: bool) -> None:
        """Every device; not every time, as the next step begins with signing in."""
        if not sure:
            return
        self.does(me, "DELETE", "/v1/sessions", lambda _: self.model.end_all(me))

    @doing(admin=RIGHT, me=people, user=people | st.just(NOWHERE), fits=RIGHT, restore=RIGHT)
    def suspend_or_restore(self, admin: bool, me: str, user: str, fits: bool, restore: bool) -> None:
        """An admin closes an account or opens it again; others cannot."""
        out = [id for id in self.emails if self.model.person(id)["suspended"] is restore and not self.model.admin(id)]
        user = out[-1] if fits and out else user
        me = next(iter(self.emails)) if admin else me
        verb, body = ("restore", None) if restore else ("suspend", {"reason": "a complaint"})
        path = f"/v1/admin/users/{user}/{verb}"
        self.does(me, "POST", path, lambda _: self.model.suspend(me, user, restore), body)

    # --- Organizations ------------------------------------------------------------------------------------------------

    @doing(target=orgs, me=people)
    def found_organization(self, me: str) -> Any:
        """A new one."""
        body = {"name": "The Guild"}

        def verdict(told: dict[str, Any]) -> Any:
            return self.model.found(me, told.get("id", ""), "The Guild")

        told = self.does(me, "POST", "/v1/organizations", verdict, body)
        return told["id"] if told else multiple()

    @doing(target=orgs, job=jobs)
    def organization_of_a_job(self, job: str) -> Any:
        """One that offers something already."""
        return self.model.jobs[job]["org"] if job in self.model.jobs else multiple()

    @doing(me=people, org=orgs | st.just(NOWHERE), name=st.sampled_from(("Both Hands", "Six Strings")))
    def rename_organization(self, me: str, org: str, name: str) -> None:
        """By its owner or manager, or somebody else."""
        path = f"/v1/organizations/{org}"
        self.does(me, "PATCH", path, lambda _: self.model.rename(me, org, name), {"name": name}, version="*")

    @doing(owner=RIGHT, me=people, org=orgs, user=people | st.just(NOWHERE), role=ROLES)
    def add_member(self, owner: bool, me: str, org: str, user: str, role: str) -> None:
        """By an owner or somebody else."""
        me = self.owner(org, me) if owner else me
        path, body = f"/v1/organizations/{org}/members", {"user_id": user, "role": role}
        self.does(me, "POST", path, lambda _: self.model.add_member(me, org, user, role), body)

    @doing(owner=RIGHT, me=people, org=orgs, user=people, role=ROLES, stale=SELDOM)
    def change_member(self, owner: bool, me: str, org: str, user: str, role: str, stale: bool) -> None:
        """Another role, decided on the present version or an older one."""
        me = self.owner(org, me) if owner else me
        member = self.model.member(org, user)
        version = (member["version"] if member else 1) + stale
        path = f"/v1/organizations/{org}/members/{user}"

        def verdict(_: Any) -> Any:
            return self.model.change_member(me, org, user, role, version)

        self.does(me, "PATCH", path, verdict, {"role": role}, version=version)

    @doing(owner=RIGHT, me=people, org=orgs, user=people)
    def remove_member(self, owner: bool, me: str, org: str, user: str) -> None:
        """Somebody goes, or has to."""
        me = self.owner(org, me) if owner else user
        path = f"/v1/organizations/{org}/members/{user}"
        self.does(me, "DELETE", path, lambda _: self.model.remove_member(me, org, user))

    # --- Conversations ------------------------------------------------------------------------------------------------

    @doing(target=talks, me=people, job=jobs)
    def talk_about_a_job(self, me: str, job: str) -> Any:
        """With whoever performs it."""

        def verdict(told: dict[str, Any]) -> Any:
            found = self.model.jobs.get(job)
            if found is None or found["state"] != "published":
                return {"not_found"}
            return self.model.talk_to(me, found["provider"], told)

        told = self.does(me, "POST", "/v1/conversations", verdict, {"job_id": job})
        return told["id"] if told else multiple()

    @doing(target=talks, me=people, other=people)
    def talk_to_somebody(self, me: str, other: str) -> Any:
        """One shares a booking with; admins with anybody."""

        def verdict(told: dict[str, Any]) -> Any:
            parties = [{booking["customer"], booking["provider"]} for booking in self.model.bookings.values()]
            if other != me and {me, other} not in parties and not self.model.admin(me):
                return {"not_found"}
            return self.model.talk_to(me, other, told)

        told = self.does(me, "POST", "/v1/conversations", verdict, {"recipient_id": other})
        return told["id"] if told else multiple()

    @doing(target=messages, first=RIGHT, me=people, talk=talks, text=st.sampled_from(("Hello", "Is that so?")))
    def say(self, first: bool, me: str, talk: str, text: str) -> Any:
        """By a participant, or somebody to whom the conversation does not exist."""
        me = self._participant(talk, me) if first else me
        path, other = f"/v1/conversations/{talk}/messages", {"text": "Goodbye"}
        told = self.does(
            me, "POST", path, lambda told: self.model.say(me, talk, text, told), {"text": text}, other=other
        )
        return (talk, told["id"]) if told else multiple()

    @doing(first=RIGHT, me=people, message=messages, text=st.sampled_from(("Hello", "No")), stale=SELDOM)
    def reword(self, first: bool, me: str, message: tuple[str, str], text: str, stale: bool) -> None:
        """Its sender, soon enough; or somebody else, or too late, or on an older version."""
        said = next(each for talk in self.model.talks for each in talk["said"] if each["id"] == message[1])
        me, version = said["sender"] if first else me, said["version"] + stale

        def verdict(_: Any) -> Any:
            return self.model.reword(me, message[1], text, version)

        self.does(me, "PATCH", f"/v1/messages/{message[1]}", verdict, {"text": text}, version=version)

    @doing(first=RIGHT, me=people, talk=talks, sequence=st.integers(0, 4))
    def mark_read(self, first: bool, me: str, talk: str, sequence: int) -> None:
        """Never back, and never ahead of what was said."""
        me = self._participant(talk, me) if first else me
        path = f"/v1/conversations/{talk}/read"
        self.does(me, "PUT", path, lambda _: self.model.mark_read(me, talk, sequence), {"sequence": sequence})

    @doing(first=RIGHT, me=people, talk=talks)
    def read_messages(self, first: bool, me: str, talk: str) -> None:
        """All that was said, in order."""
        me = self._participant(talk, me) if first else me
        found = self.model.talk(id=talk)

        def verdict(_: Any) -> Any:
            if found is None or me not in found["read"]:
                return {"not_found"}
            return {"items": [{"sequence": i, "text": said["text"]} for i, said in enumerate(found["said"], 1)]}

        self.does(me, "GET", f"/v1/conversations/{talk}/messages?since=0", verdict)

    def _participant(self, talk: str, otherwise: str) -> str:
        found = self.model.talk(id=talk)
        return str(next(reversed(found["read"]))) if found else otherwise


__all__ = ["Circles", "messages", "orgs", "talks"]
