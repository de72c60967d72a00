"""The parts of ./excamera."""
