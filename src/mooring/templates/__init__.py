"""What executables are made of: parse, check, render."""
