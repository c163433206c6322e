"""The boundary to other nodes: an interface, and its implementation over libp2p."""
