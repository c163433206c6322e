"""The boundary between a node and other nodes: an interface, and its implementation over libp2p."""
