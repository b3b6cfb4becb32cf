"""Tests with real editors."""
