"""The `broker` command. Each command is a client of a running program, or starts one; none opens a live store."""

from __future__ import annotations

import click

from broker.cli.demo import demo
from broker.cli.doctor import doctor
from broker.cli.enquiries import enquiry
from broker.cli.log import log
from broker.cli.officers import officer
from broker.cli.requests import request
from broker.cli.running import run
from broker.cli.setup import init, pin


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """The hub's side of needtoknow: ask agencies what a decision needs, and no more."""


for command in (init, pin, run, doctor, demo, officer, enquiry, request, log):
    main.add_command(command)
