"""Holds the daemon's JSON log against contrib/doc/log.schema.json. As a program: log_schema.py FILE...; 1 where a line is
otherwise than described, 77 where that cannot be told."""

import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "contrib/doc/log.schema.json"
MISSING = "python3-jsonschema is not installed"


def faults(path):
    """One sentence for each line that is not as described."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = []
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            found.append(f"{path}:{number}: {error}: {line[:200]}")
            continue
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if error:
            found.append(f"{path}:{number}: {error.json_path}: {error.message[:300]}: {line[:200]}")
    return found


def main(paths):
    if not jsonschema:
        print(MISSING)
        return 77
    found = [fault for path in paths for fault in faults(path)]
    print("\n".join(found[:20]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
