"""The home folder: its layout and settings, the key file, passphrases and recovery words."""
