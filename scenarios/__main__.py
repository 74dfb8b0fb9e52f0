"""Print the JSON schema of a scenario file: `python -m scenarios > scenarios/scenario.schema.json`."""

import json
import sys

from scenarios import schema

sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
