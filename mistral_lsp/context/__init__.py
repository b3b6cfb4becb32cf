"""What the code around the cursor says, and whether anything should be offered there."""
