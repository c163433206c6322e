"""A signer: the device that signs a record, and the person for whom the device signs."""

from dataclasses import dataclass, field

from meshcoop.fold.private_threads import PrivateThreads


@dataclass(frozen=True)
class Signer:
    """A device with its secret seed, and the person who owns the device. `private` reads this
    person's private records.
    """

    person: bytes  # the person's root public key, 32 bytes
    device: bytes  # the device's public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    private: PrivateThreads = field(repr=False)
