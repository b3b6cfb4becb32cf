"""The only room that meets the operating system."""
