"""The promises of the server, measured one by one."""
