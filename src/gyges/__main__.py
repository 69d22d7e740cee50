"""`python -m gyges` is the command `gyges`."""

from gyges.cli.main import main

main()
