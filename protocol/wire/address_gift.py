"""An address, given by one person to another over a direct stream (specs/18-addresses.md)."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import nacl.bindings
import nacl.exceptions

from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.sealing import BoxKey
from protocol.schema.fields import Text

PROTOCOL = "/meshcoop/address/1"
VERSION = 1
HELLO, GIFT, STORED, REFUSED, END = range(5)
HELLO_DOMAIN = b"meshcoop address 1 hello\0"
ADDRESS = Text(
    required=True, min=1, max=500, help="street, number, floor, and how to find the door"
)
MAX_SEALED = 4096  # bytes: eight devices and the longest text fit
MAX_GIFTS = 16  # of one side, in one session

_GIFT_DOMAIN = b"meshcoop address 1 gift\0"
_TEXT_DOMAIN = b"meshcoop address 1 text\0"
_ID = 32
_SIGNATURE = 64
_LATEST = 2**53  # milliseconds


class Hello(NamedTuple):
    """Who holds this end of the stream; the signature is that of R-05.2 in a domain of its own."""

    neighbourhood: bytes
    device: bytes
    signature: bytes

    def frame(self) -> list[Any]:
        return [HELLO, VERSION, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Hello":
        """Raises Refused (R-18.2)."""
        if [type(item) for item in frame] != [int, int, bytes, bytes, bytes]:
            raise Refused("R-18.2", "the first frame is a hello with a device and its signature")
        if frame[:2] != [HELLO, VERSION]:
            raise Refused("R-18.2", "this is no hello of this version")
        return cls(*frame[2:])


class Gift(NamedTuple):
    """An address for the other party of `agreement`, signed by a device of who gives it. `sealed`
    is empty where it is taken back. `time` in milliseconds: the latest gift holds.
    """

    agreement: bytes
    device: bytes
    time: int
    signature: bytes
    sealed: bytes

    def frame(self) -> list[Any]:
        return [GIFT, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Gift":
        """Raises Refused (R-18.4)."""
        if [type(item) for item in frame] != [int, bytes, bytes, int, bytes, bytes]:
            raise Refused("R-18.4", "a gift has agreement, device, time, signature and sealed text")
        gift = cls(*frame[1:])
        ids = len(gift.agreement) == len(gift.device) == _ID
        if not ids or len(gift.signature) != _SIGNATURE or not 0 <= gift.time < _LATEST:
            raise Refused("R-18.4", "a part of the gift is too long or too short")
        if len(gift.sealed) > MAX_SEALED:
            raise Refused("R-18.4", f"a sealed address has at most {MAX_SEALED} bytes")
        return gift

    @classmethod
    def sign(
        cls, agreement: bytes, time: int, sealed: bytes, *, seed: bytes, place: "Place"
    ) -> "Gift":
        """A gift by the device with this seed, to be handed over by its own home only."""
        device, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        unsigned = cls(agreement, device, time, b"", sealed)
        signed: bytes = nacl.bindings.crypto_sign(unsigned._message(place), secret)
        return unsigned._replace(signature=signed[:_SIGNATURE])

    def check(self, place: "Place") -> None:
        """Raises Refused (R-18.5) unless the device signed it for this place."""
        try:
            nacl.bindings.crypto_sign_open(self.signature + self._message(place), self.device)
        except (nacl.exceptions.CryptoError, ValueError, TypeError):
            raise Refused(
                "R-18.5", "who gives this address has not signed it for this home to hand over"
            ) from None

    def _message(self, place: "Place") -> bytes:
        home = place.home.encode() + b"\0"
        told = self.agreement + self.time.to_bytes(8, "big") + hashlib.sha256(self.sealed).digest()
        return _GIFT_DOMAIN + place.neighbourhood + home + told


class Place(NamedTuple):
    """Where a gift is at home: the neighbourhood, and the peer id of the node where it was made."""

    neighbourhood: bytes
    home: str


def close(text: str, boxes: Iterable[bytes], place: bytes, seed: bytes) -> bytes:
    """R-18.6: the text, sealed to devices of the two parties; its length is covered."""
    return seal.seal_for(boxes, seal.cover(text.encode()), _TEXT_DOMAIN + place, seed)


def open_text(sealed: bytes, mine: Iterable[BoxKey], place: bytes) -> str | None:
    """The text, or None where it is not sealed to any of `mine`. Raises Refused."""
    plain = seal.open_private(sealed, mine, _TEXT_DOMAIN + place)
    if plain is None:
        return None
    try:
        text = seal.uncover(plain).decode()
    except UnicodeDecodeError:
        raise Refused("R-18.6", "what is sealed is no text") from None
    ADDRESS.check("address", text)
    return text


def text_place(neighbourhood: bytes, agreement: bytes, device: bytes) -> bytes:
    """What the sealed text is bound to."""
    return neighbourhood + agreement + device
