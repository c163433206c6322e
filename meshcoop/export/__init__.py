"""Writes files that leave a home: backups, bundles, calendars and printed pages. Reads backups and
bundles again.
"""
