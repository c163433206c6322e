"""The network over libp2p: TCP, Noise, Yamux and gossipsub 1.1.

Only this package imports py-libp2p. In some places, it works around a fault of py-libp2p. At each
such place, a comment gives the reason, and says what was measured without the workaround. Each
workaround has a test, which fails if the workaround is taken out. The figures were measured with
libp2p 0.8.1, the version that `pyproject.toml` pins. Before you take another version of libp2p,
measure the figures again.

Other packages import `meshcoop.network.interface`. Importing this package is cheap. Importing
`meshcoop.network.libp2p.host` takes about a second and 80 MB, so the screen must never import that
module.
"""
