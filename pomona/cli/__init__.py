"""The command line, one file a verb."""

__all__: list[str] = []
