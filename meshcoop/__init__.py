"""The meshcoop node: keys, store, network, local API and command line."""
