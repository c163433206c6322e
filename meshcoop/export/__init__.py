"""Writes files that leave a home: backups, bundles and calendars. Also reads backups
and bundles.
"""
