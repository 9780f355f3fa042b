"""The schema of the business as data: one module per context, tables in foreign-key order."""

from adapters.persistence.schema import (
    bookings,
    house,
    identity,
    jobs,
    messaging,
    notifications,
    organizations,
    payments,
    profiles,
    reviews,
    scheduling,
)
from adapters.persistence.schema.tables import Table, View

TABLES: dict[str, Table] = {
    table.name: table
    for module in (
        identity,
        profiles,
        organizations,
        jobs,
        scheduling,
        bookings,
        payments,
        reviews,
        messaging,
        notifications,
        house,
    )
    for table in module.TABLES
}
"""Every table by name. Their order is the order of writing in a commit, on every store."""

VIEWS: dict[str, View] = {view.name: view for module in (identity, organizations, jobs, reviews, messaging) for view in module.VIEWS}
"""Every view by name."""

RANK = {name: rank for rank, name in enumerate(TABLES)}
"""A table's place in the order of writing."""
