"""What a comparison shows, one file a subject."""
