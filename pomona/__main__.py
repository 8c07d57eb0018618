"""`python -m pomona` is the same as `pomona`."""

from pomona.cli.main import main

if __name__ == "__main__":
    main()
