"""Checks of the server's promises, one by one."""
