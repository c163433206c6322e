"""Writes files that leave a home: backups, bundles and calendars. Reads backups and
bundles again.
"""
