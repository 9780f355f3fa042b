"""Tables of the scheduling context."""

from adapters.persistence.schema.tables import References, Table, identity, instant, json, text

AVAILABILITIES = Table(
    "availabilities",
    (
        *identity(),
        text("zone"),
        json("weekly"),
        json("overrides"),
        json("time_off"),
        instant("created_at"),
        instant("updated_at"),
    ),
    constraints=(References("availabilities_provider", "id", "users"),),
)
"""A row's id is its provider's user id: one availability each."""

TABLES = (AVAILABILITIES,)
