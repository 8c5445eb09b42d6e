"""`python -m broker.enrolment --home DIR`: admission as a program of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from broker.enrolment.program import run_admission
from schemas.failures import Failure

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m broker.enrolment")
    parser.add_argument("--home", required=True, type=Path, help="admission's home directory")
    try:
        sys.exit(run_admission(parser.parse_args().home))
    except Failure as failure:
        sys.exit(f"error: {failure.detail or failure.code} [{failure.code}]")
