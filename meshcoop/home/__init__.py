"""The home folder: its files and settings, the key file, passphrases and recovery words."""
