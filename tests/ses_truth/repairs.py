"""[repair] told a second time: what is taken away from a message before SES gets it."""

import re

import rules
import verifier

SIGNATURE = "dkim-signature"
REWRITTEN = {"bounces-to", "date", "dkim-signature", "feedback-id", "message-id", "return-path"}
OWN_NAME = "sesame.test"  # authserv_id


def mend(world, fields, reported):
    """The fields that are left. Which of several signatures stays is Sesame's choice: `reported` are the occurrences of
    DKIM-Signature that it took away."""
    kept = list(fields)
    if "own_fields" in world.repairs:
        kept = [each for each in kept if not is_own(each)]
    if "ses_fields" in world.repairs:
        kept = [each for each in kept if not each.name.lower().startswith("x-ses-")]
    if "duplicate_fields" in world.repairs:
        kept = without_duplicates(kept)
    if "upstream_signatures" in world.repairs:
        signatures = [each for each in fields if each.name.lower() == SIGNATURE]
        gone = [each for number, each in enumerate(signatures, 1) if number in reported]
        whole = [each for each in kept if each.name.lower() == SIGNATURE and not covers_rewritten(each)]
        left = [each for each in whole if not any(each is other for other in gone)]
        kept = [each for each in kept if each.name.lower() != SIGNATURE or any(each is one for one in (left or whole)[:1])]
    return kept


def is_own(field):
    name = field.name.lower()
    return name == "sesame-prediction" or (
        name == "authentication-results" and field.value.partition(";")[0].strip().lower() == OWN_NAME)


def without_duplicates(fields):
    unique = {name.lower() for name in rules.UNIQUE_FIELDS}
    values = {}
    for each in fields:
        values.setdefault(each.name.lower(), set()).add(each.raw.split(b":", 1)[1] if each.name.lower() == "from"
                                                        else each.value)
    kept, seen = [], set()
    for each in fields:
        name = each.name.lower()
        if name in seen and name in unique and len(values[name]) == 1:
            continue
        seen.add(name)
        kept.append(each)
    return kept


def covers_rewritten(signature):
    tags = verifier.parse_tags(signature.raw.split(b":", 1)[1].replace(b"\r\n", b""))
    names = [each.strip().lower() for each in re.split(":", tags.get("h", ""))]
    return any(each in REWRITTEN or each.startswith("x-ses-") for each in names)
