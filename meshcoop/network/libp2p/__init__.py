"""The network over libp2p: TCP, Noise, Yamux and gossipsub 1.1.

All that the project knows of py-libp2p is in this package. Beside each workaround stands its
reason, and what was measured without it. For each workaround there is a test that fails without it.
The figures are of libp2p 0.8.1, the version that `pyproject.toml` pins: check them again before you
take another version.

Other packages import `meshcoop.network.interface`. An import of this package is cheap. An import of
`meshcoop.network.libp2p.host` takes about a second and 80 MB, so the screen must never do it.
"""
