"""The network over libp2p: TCP, Noise, Yamux and gossipsub 1.1.

All that the project knows of py-libp2p is in this package, each workaround beside its reason and
what was measured without it. A test of each fails without it. The figures are of libp2p 0.8.1, the
version that `pyproject.toml` pins: check them again before taking another.

Other packages import `meshcoop.network.interface`. Importing this package is cheap; importing
`meshcoop.network.libp2p.host` takes about a second and 80 MB, so the screen must never do it.
"""
