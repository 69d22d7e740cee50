"""`python -m gyges` is the command `gyges`."""

from gyges.cli import main

main()
