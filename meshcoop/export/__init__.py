"""Writes files that leave a home: backups, bundles, calendars and a person's own records. Also
reads backups and bundles.
"""
