"""Backends: inference libraries, one file each."""
