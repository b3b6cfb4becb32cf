"""The interfaces of model servers, one file each."""
