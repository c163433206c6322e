"""Seals the content of a new record, and signs this record as the next one of a device's log."""

from collections.abc import Callable, Iterable
from typing import Any

from meshcoop.author.signer import Signer
from meshcoop.fold.state import State
from protocol.errors import Refused
from protocol.fold.content import pack_content, pack_private_content
from protocol.fold.kind import Kind
from protocol.fold.proxies import PROXY_FIELD
from protocol.fold.registry import DeclaredKind
from protocol.fold.thread import Entry, Thread
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.log import LOG_START

_HEADER_ROOM = 1024  # bytes of a record that its content may not use


class RecordSealer:
    """Seals and signs records for the devices of a home. `random(n)` returns n random bytes."""

    def __init__(self, state: State, random: Callable[[int], bytes]) -> None:
        self._state = state
        self._random = random

    def seal_fields(
        self, kind: DeclaredKind, thread: Thread, draft: Kind, entry: Entry
    ) -> dict[str, Any]:
        """R-10.6: checks the private fields of a new record. Then seals each of these fields to the
        devices of the people who may read it. The draft says who these people are.
        """
        authority = self._state.authority
        assert authority is not None, "a member signs"
        fields = dict(entry.fields)
        with self._state.failures.contained(kind.name, "readers"):
            readers = draft.readers(thread, draft) | ({entry.by} if entry.by else set())
        for name, field in kind.fields.items():
            if field.private and fields.get(name) is not None:
                field.check(name, fields[name])
                fields[name] = seal.seal_private_content(
                    authority.box_keys_of(readers),
                    codec.pack(fields[name]),
                    seal.private_field_context(
                        self._state.neighbourhood, entry.device, entry.seq, name
                    ),
                    self._random(32),
                )
        return fields

    def sign(
        self,
        kind: DeclaredKind,
        entry: Entry,
        naming: Iterable[bytes],
        signer: Signer,
        *,
        is_automatic: bool,
    ) -> Record:
        """Signs a new record that all members may read, and returns the record. `naming` are
        further parents of the record. `is_automatic` means that software signs by itself.
        """
        signed_for = {} if entry.proxy is None else {PROXY_FIELD: entry.proxy}
        content = pack_content(kind.name, entry.fields | signed_for)
        if kind.audience == record.EPOCH:
            content = self._seal_epoch(content, entry)
        parents = [*([entry.about] if entry.about else []), *naming]
        audience = kind.audience_code | (record.AUTOMATIC if is_automatic else 0)
        return self._sign(entry, parents, audience, content, signer)

    def sign_private(
        self, kind: DeclaredKind, thread: Thread, draft: Kind, signer: Signer
    ) -> Record:
        """Signs a new record of a private thread, and returns the record.

        Others cannot see the record's kind, its readers, or the record that it answers (R-15.1).
        """
        authority = self._state.authority
        assert authority is not None, "a member signs"
        entry = thread.entries[draft.id]
        root = entry
        while root.about is not None:
            root = thread.entries[root.about]
        root_draft = thread.find_draft(root.id, Kind)
        assert root_draft is not None, "the author can read the thread"
        with self._state.failures.contained(root_draft.kind, "readers"):
            readers = root_draft.readers(thread, draft) & set(authority.members)
        content = seal.seal_private_content(
            seal.add_decoys(authority.box_keys_of(readers), self._random(32)),
            seal.pad(pack_private_content(kind.name, entry.fields, entry.about)),
            seal.content_context(self._state.neighbourhood, entry.device, entry.seq),
            self._random(32),
        )
        return self._sign(entry, [], record.PRIVATE, content, signer)

    def _seal_epoch(self, content: bytes, entry: Entry) -> bytes:
        key = self._state.epochs.current_key()
        assert key is not None, "the author has made one if there was none"
        place = seal.content_context(self._state.neighbourhood, entry.device, entry.seq)
        return seal.seal_epoch_content(key, content, place, self._random(32))

    def _sign(
        self, entry: Entry, parents: list[bytes], audience: int, content: bytes, signer: Signer
    ) -> Record:
        if len(content) > codec.MAX_BYTES - _HEADER_ROOM:
            raise Refused("R-01.1", "this is too long for one record; write it shorter")
        log = self._state.store.logs.find(entry.device)
        head = log.head if log else LOG_START
        header = Header(
            record.VERSION,
            entry.device,
            head.seq + 1,
            head.id,
            entry.time,
            None,
            parents,
            audience,
            len(content),
            record.content_digest(content),
        )
        return record.sign(header, content, self._state.neighbourhood, signer.seed)
