"""Letters written with Jinja: `mails/<template>.html.j2` and `.txt.j2`, each on the shared layout of its kind."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_eval_context, select_autoescape
from jinja2.nodes import EvalContext
from markupsafe import Markup

from application.notifications.wording import amount, at, day, when
from application.ports.mail import Letters, Written
from domain.notifications import Template
from domain.shared.money import Money
from domain.shared.time import Span

MAILS = Path(__file__).parent / "mails"
LONGEST_SUBJECT = 150

_GAPS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
"""More than one empty line, where a part of the letter was left out."""

_STEERING = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Characters that reorder the text around them; in a name they could make a mail say something else."""


class Lines(str):
    """Text that may span several lines in a plain mail; everything else is put on one."""

    __slots__ = ()


class JinjaLetters(Letters):
    """Templates are read once. Facts are escaped in HTML, and in plain text kept to the line they stand on."""

    def __init__(self, folder: Path = MAILS) -> None:
        self._templates = _environment(folder)
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def write(self, template: Template, context: Mapping[str, Any]) -> Written:
        """The letter; the subject is the plain template's `subject` block."""
        plain = self._templates.get_template(f"{template.value}.txt.j2")
        html = self._templates.get_template(f"{template.value}.html.j2")
        subject = _one_line("".join(plain.blocks["subject"](plain.new_context(dict(context)))))
        return Written(
            subject=subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1].rstrip() + "…",
            text=_GAPS.sub("\n\n", plain.render(context).strip()) + "\n",
            html=self._inliner.inline(html.render(context, subject=subject)),
        )


def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "money": lambda value: amount(Money(value["amount_minor"], value["currency"])),
        "when": lambda value, zone: when(Span(_moment(value["starts_at"]), _moment(value["ends_at"])), zone),
        "day": lambda value: day(date.fromisoformat(value)),
        "at": lambda value, zone: at(_moment(value), zone),
        "quoted": lambda value: Lines("\n".join(f"> {_one_line(line)}" for line in str(value).splitlines())),
    }
    return environment


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


@pass_eval_context
def _shown(context: EvalContext, value: object) -> object:
    """Each fact on its way into a letter: in HTML what is not markup yet is escaped right after this."""
    if not isinstance(value, str) or isinstance(value, Markup | Lines):
        return value
    return value.translate(_STEERING) if context.autoescape else _one_line(value)


def _one_line(value: str) -> str:
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in value)
    return " ".join(shown.translate(_STEERING).split())
