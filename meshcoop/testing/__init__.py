"""An in-memory network that implements `meshcoop.network.interface`."""
