"""The formats of landmarks, and conversion between them."""
