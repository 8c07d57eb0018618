"""How strong the stresses are that have no published severities."""

STRENGTHS = ("light", "medium", "heavy")
