"""Admission's configuration: what every node has, and where agencies are to dial."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from broker.node.settings import NodeSettings, Section


class AdmissionSection(Section):
    """What agencies are told."""

    addresses: Annotated[list[str], Field(max_length=16)] = Field(
        default_factory=list,
        description="The bus as agencies reach it; without it, the addresses that the hub itself uses.",
    )


class AdmissionSettings(NodeSettings):
    """Admission's `config.toml`."""

    admission: AdmissionSection = AdmissionSection()
