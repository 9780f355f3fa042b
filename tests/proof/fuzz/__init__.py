"""Schemathesis over the whole OpenAPI document, in a town where things exist, as everybody who may ask."""
