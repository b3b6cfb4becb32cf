"""All tests: case files, units, the real server, real editors, the embedded model, the benches."""
