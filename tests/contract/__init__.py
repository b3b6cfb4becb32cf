"""What each model server's published API says, played; docs/SERVERS.md has their settings."""
