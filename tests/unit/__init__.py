"""Unit tests, and tests of properties on random inputs."""
