"""Quotes, invoices, and the papers that left the house."""

from entrypoints.rest.invoicing.invoices import invoices
from entrypoints.rest.invoicing.papers import papers
from entrypoints.rest.invoicing.quotes import quotes

__all__ = ["invoices", "papers", "quotes"]
