"""Files that leave a home, and some that come back: backups, bundles, calendars, printed pages."""
