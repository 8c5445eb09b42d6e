"""`python -m broker.desk --home DIR`: the desk as a program of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from broker.desk.program import run_desk
from schemas.failures import Failure

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m broker.desk")
    parser.add_argument("--home", required=True, type=Path, help="the desk's home directory")
    try:
        sys.exit(run_desk(parser.parse_args().home))
    except Failure as failure:
        sys.exit(f"error: {failure.detail or failure.code} [{failure.code}]")
