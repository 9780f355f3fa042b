"""The machine itself: its clock, its chance, and the secrets it keeps. Nothing else may ask for time or randomness."""
