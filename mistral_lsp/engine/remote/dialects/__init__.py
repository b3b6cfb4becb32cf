"""Dialects: the HTTP interfaces of model servers, one file each."""
