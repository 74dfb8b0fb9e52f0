"""The processes of a month, each a thin compiled loop: fetch, call the rule, store."""
