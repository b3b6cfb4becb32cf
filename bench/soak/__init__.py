"""What must hold all day: random messages, faults, hours of typing, damaged files."""
