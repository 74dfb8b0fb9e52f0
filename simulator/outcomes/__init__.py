"""What SMEs get, whatever it comes from: knowledge, ties, partnerships, contracts, and what they reach on their own."""
