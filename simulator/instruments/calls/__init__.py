"""The call for projects: event, consortia, funding decision, projects at work, review."""
