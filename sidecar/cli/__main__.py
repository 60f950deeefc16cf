"""`python -m sidecar.cli` is `demon`."""

from sidecar.cli.app import main

main()
