"""python -m ui: the same as the `attune` command."""

from ui.cli import main

main(prog_name="attune")
