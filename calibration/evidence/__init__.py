"""What is known from outside, as data with sources."""
