"""How much the seed decides, beyond what the examples do: variance components, ratios, tests."""
