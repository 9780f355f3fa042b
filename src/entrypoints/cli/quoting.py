"""`guildhall quote`: what work would cost, offered for a while and answered once."""

from application.invoicing import (
    AcceptQuote,
    DeclineQuote,
    DiscardQuote,
    DraftQuote,
    GetQuote,
    GetQuoteLink,
    ListQuotes,
    QuoteView,
    ReviseQuote,
    SendQuote,
)
from entrypoints.cli.commands import Group

group = Group("Quotes: what work would cost, offered for a while and answered once.")
app = group.app

group.lists(
    "list",
    ListQuotes,
    "reference",
    "id",
    "total",
    "state",
    "expires_at",
    "invoice_id",
    examples=("guildhall quote list --state sent",),
)
group.asks("show", GetQuote)
group.does("draft", DraftQuote, QuoteView)
group.does("revise", ReviseQuote, QuoteView)
group.does("discard", DiscardQuote)
group.does("send", SendQuote, QuoteView)
group.asks("link", GetQuoteLink, show=lambda desk, url: desk.show({"url": url}))
group.does("accept", AcceptQuote, QuoteView, examples=('guildhall quote accept ID --by "Ana, by telephone"',))
group.does("decline", DeclineQuote, QuoteView)
