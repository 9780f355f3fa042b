"""The few words every context shares: time, money, ids, actors, events and the families of refusal."""
