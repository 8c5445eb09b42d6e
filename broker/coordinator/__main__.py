"""`python -m broker.coordinator --home DIR`: the coordinator as a program of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from broker.coordinator.program import run_coordinator
from schemas.failures import Failure

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m broker.coordinator")
    parser.add_argument("--home", required=True, type=Path, help="the coordinator's home directory")
    try:
        sys.exit(run_coordinator(parser.parse_args().home))
    except Failure as failure:
        sys.exit(f"error: {failure.detail or failure.code} [{failure.code}]")
