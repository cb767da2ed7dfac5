"""`python -m ablations` is the command `ablate`."""

from ablations.cli import main

main()
