"""How anything is shown: words, style, tables, and the parts of a page; nothing here knows a question."""
