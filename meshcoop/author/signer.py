"""A signer: the device that signs, and the person for whom it signs."""

from dataclasses import dataclass, field

from meshcoop.fold.private_threads import PrivateThreads


@dataclass(frozen=True)
class Signer:
    """A device with its secret seed. `private` reads the private records of its person."""

    person: bytes  # the person's root public key, 32 bytes
    device: bytes  # the device's public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    private: PrivateThreads = field(repr=False)
