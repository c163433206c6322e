"""The parts of the screens. One file holds the look, keys and messages of each part."""
