"""The campaign `planted`: real mistakes, each put in place of a part of the product, and each to be found."""
