"""Write the demo catalog: python -m retrieval.demo --out DIR [--items N] [--seed N]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval.demo.make import make_demo


def main() -> None:
    """Parse the arguments, write the catalog and name its file."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.demo", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--items", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    sys.stdout.write(f"{make_demo(args.out, items=args.items, seed=args.seed)}\n")


if __name__ == "__main__":
    main()
