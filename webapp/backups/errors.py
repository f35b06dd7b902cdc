"""The error of backups."""


class BackupError(Exception):
    """Why a backup cannot be taken or restored, in words for an operator."""
