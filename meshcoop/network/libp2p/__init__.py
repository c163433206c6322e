"""The network over libp2p: TCP, Noise, Yamux and gossipsub 1.1.

Everything the project knows of py-libp2p lives in this package, each workaround beside the reason
for it. The rest of the house sees `meshcoop.network` only. Importing this package is cheap;
importing `meshcoop.net.host` takes about a second and 80 MB.
"""
