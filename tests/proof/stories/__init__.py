"""Payment stories: every order in which a gateway can tell of them ends in one state."""
