"""Pomona: one toolkit in which a model's whole life happens."""
