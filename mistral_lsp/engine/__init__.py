"""Engines: the model in a host process on this machine, or on a model server elsewhere."""
