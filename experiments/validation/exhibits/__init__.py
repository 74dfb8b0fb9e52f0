"""What the report of a validation shows, one file a subject."""
