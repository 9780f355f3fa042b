"""Pages as a browser without scripts sees them: what they say, and the forms that can be sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, what it holds, and the buttons it is sent with."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """A page that was shown, and whoever looks at it."""

    http: httpx.AsyncClient
    answer: httpx.Response
    words: str
    forms: list[Form]

    @classmethod
    async def opened(cls, http: httpx.AsyncClient, url: str) -> "Page":
        """The page at this address."""
        return cls.seen(http, await http.get(url))

    @classmethod
    def seen(cls, http: httpx.AsyncClient, answer: httpx.Response) -> "Page":
        """What the answer shows."""
        reader = _Reader()
        reader.feed(answer.text)
        return cls(http, answer, " ".join(" ".join(reader.words).split()), reader.forms)

    async def send(self, **typed: str) -> "Page":
        """Fill in and send the form that has these fields, and follow where it leads."""
        offered = [form for form in self.forms if all(name in form.fields or name in form.choices for name in typed)]
        if not offered:
            raise LookupError(f"no form with {', '.join(typed) or 'anything'} on {self.answer.url}")
        form = offered[0]
        wrong = {name: value for name, value in typed.items() if value not in form.choices.get(name, [value])}
        if wrong:
            raise LookupError(f"{wrong} is not offered on {self.answer.url}, only {form.choices}")
        url = urljoin(str(self.answer.url), form.action)
        answer = await self.http.request(form.method.upper(), url, data={**form.fields, **typed}, follow_redirects=True)
        return Page.seen(self.http, answer)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "style"):
            self._hidden += 1
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        if self.forms and "name" in given and tag in ("input", "button", "select"):
            self._field(self.forms[-1], tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @staticmethod
    def _field(form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given["name"], given.get("value", "")
        if tag == "button" or given.get("type") in ("submit", "radio"):
            form.choices.setdefault(name, []).append(value)
        else:
            form.fields[name] = value
