"""Storms of webhooks: sets of stories whose messages come twice, late, in any order, under other ids, or never."""
