"""What leaves as files and comes back: backups, bundles, calendars, printed pages."""
