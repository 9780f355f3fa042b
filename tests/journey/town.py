"""The demo town as a throw-away instance in memory: quick to open, with people who can sign in."""

DEMO_TOWN = {
    "GUILDHALL_DEMO": "true",
    "GUILDHALL_CLOCK": "system",
    "GUILDHALL_STORAGE": "memory",
    "GUILDHALL_ARGON2_TIME_COST": "1",
    "GUILDHALL_ARGON2_MEMORY_KIB": "8",
}
"""Its settings, by their names in the environment."""

PASSWORD = "come-in-and-look"
"""Everybody's."""
