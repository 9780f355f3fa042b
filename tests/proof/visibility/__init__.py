"""Who sees what: asked in every way there is, a million times at random, and with every harm done to it."""
