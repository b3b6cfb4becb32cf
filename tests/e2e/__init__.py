"""End-to-end tests: they start the real server process and talk to it as a client does."""
