"""What the programme does, one folder an instrument."""
