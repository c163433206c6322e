"""Signers: with which device somebody signs, and for which person."""

from dataclasses import dataclass, field

from meshcoop.fold.private_threads import PrivateThreads


@dataclass(frozen=True)
class Signer:
    """A device whose secret is at hand. `private` reads the private records of its person."""

    person: bytes  # the person's root public key, 32 bytes
    device: bytes  # the device's public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    private: PrivateThreads = field(repr=False)
