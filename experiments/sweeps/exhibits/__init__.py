"""What the report of a sweep shows, one file a subject."""
