"""Where a model runs, as an editor sees it: on this machine in a host, or on a server elsewhere."""
