"""Street addresses that one person gives another over a direct stream (specs/18-addresses.md).

First, each side of the stream sends a hello. Then each side sends its gifts. A gift is a message
with one address. Each side answers every gift of the other side, in order, with the frame `STORED`
or `REFUSED`. After its last gift, each side sends the frame `END`. Nobody gossips or syncs an
address, not even a sealed address.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import sealing
from protocol.record.sealing import BoxKey
from protocol.record.signature import SIGNATURE_SIZE, is_signed, public_key, sign_message
from protocol.schema.shared_rules import ADDRESS

PROTOCOL = "/meshcoop/address/2"
VERSION = 2

# Types of frames.
HELLO = 0  # with version, device, signature
GIFT = 1  # with agreement, device, time, signature, sealed
STORED = 2
REFUSED = 3  # with rule, reason
END = 4

HELLO_DOMAIN = b"meshcoop address 2 hello\0"
MAX_SEALED = 4096  # bytes; enough to seal the longest text to eight devices
MAX_GIFTS = 16  # the most that one side sends over one stream

_GIFT_DOMAIN = b"meshcoop address 2 gift\0"
_TEXT_DOMAIN = b"meshcoop address 2 text\0"
_ID_SIZE = 32  # bytes, of an agreement's id and of a device
_MAX_TIME = 2**53  # milliseconds


class Hello(NamedTuple):
    """The hello: each side of the stream names its `device` and proves to be that device.

    The device signs as in R-05.2, but the signed bytes begin with `HELLO_DOMAIN`.
    """

    device: bytes
    signature: bytes

    def frame(self) -> list[Any]:
        """Returns the frame that carries this hello."""
        return [HELLO, VERSION, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Hello":
        """Reads a hello from a frame. Raises Refused (R-18.2)."""
        if [type(part) for part in frame] != [int, int, bytes, bytes]:
            raise Refused("R-18.2", "the first frame is a hello with a device and its signature")
        if frame[:2] != [HELLO, VERSION]:
            raise Refused("R-18.2", "this is no hello of this version")
        return cls(*frame[2:])


class GiftOrigin(NamedTuple):
    """The neighbourhood of a gift, and the peer id `home` of the node where the gift was made."""

    neighbourhood: bytes
    home: str


class Gift(NamedTuple):
    """A gift: an address for the other party of `agreement`, signed by a device of the giver.

    `time` is in milliseconds. If there are several gifts, the gift with the latest time is in
    force. `sealed` is the sealed address. If `sealed` is empty, the giver takes the address back.
    """

    agreement: bytes
    device: bytes
    time: int
    signature: bytes
    sealed: bytes

    def frame(self) -> list[Any]:
        """Returns the frame that carries this gift."""
        return [GIFT, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Gift":
        """Reads a gift from a frame. Raises Refused (R-18.4)."""
        if [type(part) for part in frame] != [int, bytes, bytes, int, bytes, bytes]:
            raise Refused("R-18.4", "a gift has agreement, device, time, signature and sealed text")
        gift = cls(*frame[1:])
        has_ids = len(gift.agreement) == len(gift.device) == _ID_SIZE
        if not has_ids or len(gift.signature) != SIGNATURE_SIZE or not 0 <= gift.time < _MAX_TIME:
            raise Refused("R-18.4", "a part of the gift is too long or too short")
        if len(gift.sealed) > MAX_SEALED:
            raise Refused(
                "R-18.4", "a sealed address has at most {max_sealed} bytes", max_sealed=MAX_SEALED
            )
        return gift

    @classmethod
    def sign(
        cls, agreement: bytes, time: int, sealed: bytes, *, seed: bytes, origin: GiftOrigin
    ) -> "Gift":
        """Makes a gift and signs it with the key of the device that has this `seed`.

        The signature is valid only if the node named in `origin` hands the gift over.
        """
        unsigned = cls(agreement, public_key(seed), time, b"", sealed)
        return unsigned._replace(signature=sign_message(unsigned._message(origin), seed))

    def check(self, origin: GiftOrigin) -> None:
        """Raises Refused (R-18.5) if the gift's device did not sign the gift for this origin."""
        if not is_signed(self._message(origin), self.signature, self.device):
            raise Refused(
                "R-18.5", "who gives this address has not signed it for this home to hand over"
            )

    def _message(self, origin: GiftOrigin) -> bytes:
        """Returns the bytes of this gift that the giver's device signs (R-18.5)."""
        home = origin.home.encode() + b"\0"
        sealed_hash = hashlib.sha256(self.sealed).digest()
        gift = self.agreement + self.time.to_bytes(8, "big") + sealed_hash
        return _GIFT_DOMAIN + origin.neighbourhood + home + gift


def text_context(neighbourhood: bytes, agreement: bytes, device: bytes) -> bytes:
    """Returns the context for sealing and opening an address. `device` is the giver's device.

    An address that was sealed with one context cannot be opened with another.
    """
    return neighbourhood + agreement + device


def seal_text(text: str, boxes: Iterable[bytes], context: bytes, seed: bytes) -> bytes:
    """Pads the address `text` and seals it to the devices of both parties (R-18.6).

    `boxes` are the box keys of these devices. `context` is the result of `text_context`. `seed` is
    32 fresh random bytes.
    """
    return sealing.seal_private_content(
        boxes, sealing.pad(text.encode()), _TEXT_DOMAIN + context, seed
    )


def open_text(sealed: bytes, boxes: Iterable[BoxKey], context: bytes) -> str | None:
    """Opens a sealed address. Returns None if it is sealed to none of `boxes`.

    `context` is the result of `text_context`. Raises Refused (R-18.6, R-01.24, R-01.26, R-10.3).
    """
    plain = sealing.open_private_content(sealed, boxes, _TEXT_DOMAIN + context)
    if plain is None:
        return None
    try:
        text = sealing.unpad(plain).decode()
    except UnicodeDecodeError:
        raise Refused("R-18.6", "what is sealed is no text") from None
    ADDRESS.check("address", text)
    return text
