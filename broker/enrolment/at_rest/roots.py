"""A new root for one of the hub's own parties, while the hub is stopped: its file again, pinned anew by the other two.

Every agency pinned the old root, and goes on by what it pinned until it repeats the ceremony (SPEC 10.2). The order of
writes, each found unfinished by the same call again:

1. the new root into the key store, set aside      a crash leaves a key that nobody was told of; it is used next time
2. the new file into `own.party`, the new root in its place
3. the file pinned by each of the others
4. the old root destroyed

Refuses to know agencies, and every key but the root: all others stay, stated by the new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from broker.node.home import Home
from broker.node.keystore import KeyStore
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, read_party, state_party

NEXT_ROOT: Final = "root-next"
"""Where the key store keeps a new root until the party's file is by it."""


def replace_root(home: Home, others: Sequence[Home], *, now: int) -> Party:
    """Replace the root of a party of the hub; gives back the party by its new file.

    Raises:
        KeyStoreInUse: its program runs.
        HomeInvalid: a home cannot be read.
    """
    with closing(home.keystore()) as keys:
        root = _next_root(keys)
        own = home.own()
        if own.root.id != root.id:
            changed = {"root": encode_base64(root.public.raw), "serial": own.statement.serial + 1, "issued_at": now}
            party = read_party(state_party(own.statement.model_copy(update=changed), root))
            keys.add(KeyPurpose.ROOT, root.id, root.seed())
            home.restate(party.raw)
        party = home.own()
        for other in others:
            other.unpin(party.id)
            other.pin(party.raw)
        for name in keys.names(KeyPurpose.ROOT):
            if name != root.id:
                keys.destroy(KeyPurpose.ROOT, name)
        keys.destroy(NEXT_ROOT, root.id)
    return party


def _next_root(keys: KeyStore) -> SigningKey:
    for name in keys.names(NEXT_ROOT):
        return SigningKey.from_seed(KeyPurpose.ROOT, keys.get(NEXT_ROOT, name))
    root = SigningKey.generate(KeyPurpose.ROOT)
    keys.add(NEXT_ROOT, root.id, root.seed())
    return root
