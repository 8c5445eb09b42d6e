"""The doctor on files: whatever another user could read, write or replace is named, with what to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.node.doctor.checked import NotWell
from broker.node.doctor.permissions import check_permissions
from broker.node.home import Home


def test_a_home_as_it_is_made_is_its_owners_only(home: Home) -> None:
    assert "owner's only" in check_permissions(home)


@pytest.mark.parametrize("bits", [0o040, 0o004, 0o020, 0o002, 0o010])
def test_any_looser_bit_on_any_file_or_directory_is_named_with_what_to_run(home: Home, bits: int) -> None:
    for path in [home.path, *home.path.rglob("*")]:
        before = path.stat().st_mode
        path.chmod(before | bits)
        with pytest.raises(NotWell, match="chmod go=") as caught:
            check_permissions(home)
        assert str(path) in caught.value.detail
        path.chmod(before)
    check_permissions(home)


def test_a_link_in_a_home_is_refused(home: Home, tmp_path: Path) -> None:
    (home.path / "parties" / "x.party").symlink_to(tmp_path / "lead.key")
    with pytest.raises(NotWell, match="link"):
        check_permissions(home)


def test_a_directory_above_that_others_may_write_is_named(home: Home) -> None:
    home.path.parent.chmod(0o770)
    with pytest.raises(NotWell, match="chmod go-w"):
        check_permissions(home)
    home.path.parent.chmod(0o1777)
    check_permissions(home)
