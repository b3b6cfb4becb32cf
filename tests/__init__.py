"""The tests: cases as data, units, protocol end to end, real editors, the real model."""
