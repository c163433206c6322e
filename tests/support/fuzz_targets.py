"""The targets of the fuzzer: every function that reads bytes or text from outside. A target may
raise only Refused.

    uv run --group fuzz python -m tests.support.fuzz_targets record -runs=100000 [CORPUS…]

libFuzzer reads the words after the name of a target. Without a corpus, the function `seeds` gives
valid samples to begin with.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["protocol"]):
    from protocol import display_text as text
    from protocol import kinds
    from protocol.errors import Refused
    from protocol.fold import content as schema
    from protocol.fold.registry import KINDS
    from protocol.record import codec
    from protocol.record import envelope as record
    from protocol.record import root_statement as statement
    from protocol.record import sealing as seal
    from protocol.wire import bundle_file, frames, invitation
    from protocol.wire import have_map as heads
    from protocol.wire import local_rpc as control
    from protocol.wire import sync_events as events
    from protocol.wire import sync_session as sync

assert kinds  # their import registers them with the schema

PLACE = bytes(range(32))
SEED = bytes(32)


def read_record(data):
    with suppress(Refused):
        one = record.parse(data)
        assert one.wire == data
        record.verify(one, PLACE)


def unpack(data):
    with suppress(Refused):
        assert codec.pack(codec.unpack(data)) == data


def peer_frames(data):
    decoder = frames.Decoder()
    with suppress(Refused):
        for piece in _pieces(data):
            decoder.feed(piece)


def control_frames(data):
    decoder = control.Decoder()
    with suppress(Refused):
        for piece in _pieces(data):
            decoder.feed(piece)
            for _ in decoder:
                pass


def read_bundle(data):
    """Reads the data as a bundle file, twice. The first file is the data alone. The second file has
    a correct beginning before the data.
    """
    whole = data[:1] < b"\x40"
    decoder = bundle_file.Decoder(bundle_file.BUNDLE, PLACE)
    with suppress(Refused):
        if not whole:
            list(decoder.feed(bundle_file.file_opening(bundle_file.BUNDLE, PLACE, SEED)))
        seal = bundle_file.Seal(PLACE, SEED)
        for piece in _pieces(data[1:]):
            for wires in decoder.feed(piece if whole else seal.close(piece)):
                assert all(type(one) is bytes for one in wires)
        decoder.close()


def sync_session(data):
    """Drives a sync session as a home does. The data holds frames, either with or without their
    lengths.
    """
    session = sync.SyncSession()
    ours = {b"d" * 32: heads.LogHead(1, b"h" * 32)}
    framed = data[:1] < b"\x80"
    said = b"".join(map(_framed, data[1:].split(b"\xc1"))) if framed else data[1:]
    with suppress(Refused):
        session.admit()
        session.begin_round(ours)
        for event in session.receive(said):
            match event:
                case events.DigestReceived():
                    session.answer_digest(ours)
                case events.PeerLacks():
                    session.send_end()
                case events.RecordsReceived():
                    session.credit_taken(event.size)


def read_invitation(data):
    with suppress(Refused):
        invitation.decode(_text(data))


def read_statement(data):
    with suppress(Refused):
        statement.read_statement(data)


def read_content(data):
    with suppress(Refused):
        schema.read_content(data)


def read_private(data):
    """Reads private content that others seal for this home: the locks, the cover and the content
    itself.
    """
    box = seal.device_box_key(SEED)
    for read in (
        schema.read_private_content,
        lambda one: schema.read_private_content(seal.unpad(one)),
        lambda one: seal.open_private_content(one, [box], PLACE),
        lambda one: schema.read_private_content(
            seal.unpad(seal.open_private_content(_sealed(one), [box], PLACE))
        ),
    ):
        with suppress(Refused):
            read(data)


def _sealed(plain):
    return seal.seal_private_content([seal.device_box_key(SEED).public], plain, PLACE, SEED)


def safe_text(data):
    said = _text(data)
    shown = text.safe_text(said)
    assert text.safe_text(shown) == shown
    assert "\x1b" not in shown
    assert len(text.safe_line(said, 20)) <= 20


def _pieces(data):
    """Cuts the bytes into pieces. The first byte chooses the size of a piece."""
    size = data[0] % 32 + 1 if data else 1
    return [data[at : at + size] for at in range(0, len(data), size)]


def _framed(body):
    return len(body).to_bytes(4, "big") + body


def _text(data):
    return data.decode("utf-8", "surrogateescape")  # bad bytes become lone surrogates


TARGETS = {
    "record": read_record,
    "codec": unpack,
    "frames": peer_frames,
    "control": control_frames,
    "bundle": read_bundle,
    "sync": sync_session,
    "invitation": read_invitation,
    "statement": read_statement,
    "content": read_content,
    "private": read_private,
    "text": safe_text,
}


def seeds(name):
    """Returns valid input. libFuzzer changes it step by step into input that is nearly valid."""
    content = schema.pack_content("request", {"title": "A lift to the clinic", "minutes": 30})
    device = record.device_key(SEED)
    header = record.Header(
        record.VERSION, device, 2, b"p" * 32, 1_795_000_000_000, None, [b"a" * 32],
        record.OPEN, len(content), record.content_digest(content),
    )  # fmt: skip
    signed = record.sign(header, content, PLACE, SEED)
    box = seal.device_box_key(SEED).public
    code = invitation.Invitation(device, bytes(16), ("/ip4/192.0.2.7/tcp/4001",))
    told = [
        [sync.DIGEST, bytes(16)],
        [sync.HAVE, [b"d" * 8, 1, b"h" * 8, b""], False],
        [sync.RECORDS, [signed.wire]],
        [sync.END],
        [sync.CREDIT, 0],
        [sync.HEAD, device, 2],
        [sync.WANT, [signed.id]],
        [sync.CONTENT, signed.id, content],
        [sync.PEERS, ["/ip4/192.0.2.7/tcp/4001"]],
        [sync.BYE, "R-05.1", "no"],
    ]
    return {
        "record": [signed.wire, signed._replace(content=None).wire],
        "codec": [content, codec.pack({"a": [1, None, b"b", True], "c": {"d": -1}})],
        "frames": [b"".join(map(frames.encode, told)), frames.encode(told[0])],
        "control": [
            control.encode(control.hello_request(1)),
            control.encode(control.Response(1, None, {"a": [1.5, b"b"]})),
            control.encode(control.Response(2, control.Error("refused", "No."))),
            control.encode(control.Event("changed", {"stored": 1})),
        ],
        "bundle": [
            b"\0"
            + b"".join(
                bundle_file.encode_file(bundle_file.BUNDLE, PLACE, SEED, [[signed.wire], [b"wire"]])
            ),
            b"\xff" + codec.pack([1, [signed.wire]]),
        ],
        "sync": [
            b"\xff" + b"".join(map(frames.encode, told)),
            b"\0" + b"\xc1".join(codec.pack(one) for one in told),
        ],
        "invitation": [invitation.encode(code).encode()],
        "statement": [
            statement.certify_device(SEED, b"\1" * 32, box, PLACE[:16]),
            statement.revoke_device(SEED, device, 3, PLACE[:16]),
        ],
        "private": [
            schema.pack_private_content("message", {"text": "at four"}, PLACE),
            seal.pad(schema.pack_private_content("circle", {"name": "x", "members": []}, None)),
            _sealed(seal.pad(content)),
        ],
        "content": [content, *(codec.pack([kind, {}]) for kind in KINDS)],
        "text": ["[/] \x1b]52;c;YQ==\x07 \u202e e\u0301 👩‍👩‍👧".encode(), b"\xff lone"],
    }[name]


def main():
    name, *options = sys.argv[1:]
    corpora = [one for one in options if not one.startswith("-")]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        if not corpora:
            for at, seed in enumerate(seeds(name)):
                Path(folder, str(at)).write_bytes(seed)
            options.append(folder)
        atheris.Setup([sys.argv[0], *options], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
