"""What a prediction must keep to, given all that may happen."""

import account  # of the simulator
import rewrite

STATUS = {"pass": 0, "none": 0, "fail": 1, "refused": 1, "unknown": 75}
VINTAGES = {9989: "rfc9989", 7489: "rfc7489"}
UNKNOWN = "unknown"
BADNESS = ("pass", "neutral", "softfail", "none", "fail", "permerror", "temperror")


# What SES answers, and the findings that say so.
CODES = {"Sending paused": {"sending-blocked"}, "Invalid MAIL FROM": {"null-sender"},
         "Recipient count": {"too-many-recipients"}, "too long": {"ses-lint"}, "Duplicate header": {"dup-header"},
         "not verified. The": {"from-unverified", "sending-blocked"}, "Missing 'From'": {"from-ambiguous"},
         "MailFromDomainNotVerified": {"mailfrom-reject"}, "Local address": {"ses-lint"}}


def disagreements(world, truth, prediction, status):
    yield from of_verdict(truth, prediction["verdict"])
    if status != STATUS[prediction["verdict"]]:
        yield f"exit status {status} for {prediction['verdict']}"
    if (prediction["confidence"] == UNKNOWN) != (prediction["verdict"] == UNKNOWN):
        yield f"confidence {prediction['confidence']} of {prediction['verdict']}"
    if len(truth.ways) == 1:
        yield from of_place(truth, prediction)
    if prediction["verdict"] == "refused":
        yield from of_refusal(truth, prediction["findings"])
    taken = [each for each in truth.cases if not each.refusal]
    if not taken or "another account's identity" in truth.doubts:
        return
    named = next((each for each in truth.here if each.name == prediction["identity"]["name"]), None)
    if named and not named.verified:
        return  # the end of what may be verified by now; another may be as well
    yield from of_vintages(taken, prediction)
    if truth.author_domain is None or len(truth.ways) > 1:
        return
    yield from of_dkim_leg(truth, taken, prediction["legs"]["dkim"])
    yield from of_spf_leg(truth, taken, prediction["legs"]["spf"])
    yield from of_grade(taken, prediction)
    yield from of_confidence(world, truth, prediction)


def of_verdict(truth, verdict):
    possible = truth.verdicts()
    if verdict != UNKNOWN:
        if "an address that signs without keys" not in truth.doubts and possible != {verdict}:
            yield f"{verdict}, though it may be {sorted(possible)}"
    elif len(possible) == 1 and "mixed" not in possible:
        if not truth.doubts:
            yield f"unknown, though it is always {possible}"
        elif truth.doubts == {"DNS did not answer"} and truth.is_settled_by_any_answer():
            yield f"unknown, though it is always {possible}, whatever DNS would answer"


def of_place(truth, prediction):
    place = (prediction["account"] or "", prediction["region"])
    if place != (truth.account, truth.region):
        yield f"goes to {place}, though the first route that matches leads to {truth.account, truth.region}"


    named = rewrite.first(truth.fields, "x-ses-configuration-set") or truth.configuration_set
    if named and truth.here and prediction["configuration_set"] != named:
        yield f"configuration set {prediction['configuration_set']}, though it is {named}"
    is_plain = "another account's identity" not in truth.doubts and "what is known is aged" not in truth.doubts
    identity = truth.covering_name() if is_plain else None
    if identity and prediction["identity"]["name"] != identity:
        yield f"identity {prediction['identity']['name']}, though {identity} covers From"


def of_refusal(truth, findings):
    """Why SES refuses stands among the findings, and a refusal stands first."""
    found = {each["code"] for each in findings}
    for reply in {each.refusal for each in truth.cases if each.refusal}:
        wanted = next((codes for text, codes in CODES.items() if text in reply), set())
        if not wanted & found:
            yield f"refused for {sorted(found)}, though SES says {reply}"
    if findings[0]["code"] not in set().union(*CODES.values()):
        yield f"refused, but {findings[0]['code']} stands first"


def of_vintages(taken, prediction):
    for vintage, name in VINTAGES.items():
        said, possible = prediction["dmarc"][name]["result"], {each.results[vintage] for each in taken}
        if said != UNKNOWN and possible != {said}:
            yield f"{name}: {said}, though it may be {sorted(possible)}"


def is_wrong(said, possible, vintage, taken):
    """Where there is no policy, nothing tells what to align by: the modes of a record that cannot be used, or none."""
    is_moot = all(each.results[vintage] == "none" for each in taken)
    return said != UNKNOWN and possible != {said} and not is_moot


def of_dkim_leg(truth, taken, leg):
    if leg["source"] != "ses":
        return
    if leg["domain"] is None:
        if leg["usable"] is not False:
            yield "a signature of SES without a domain"
        return
    if leg["usable"] != UNKNOWN and {each.is_signed for each in taken} != {leg["usable"]}:
        if "an address that signs without keys" not in truth.doubts:
            yield f"d={leg['domain']} usable is {leg['usable']}, though SES's signature verifies or not: " \
                  f"{sorted({each.is_signed for each in taken})}"
    for vintage, name in VINTAGES.items():
        possible = {each.aligned[vintage](leg["domain"], "adkim") for each in taken}
        if is_wrong(leg["aligned"][name], possible, vintage, taken):
            yield f"d={leg['domain']} aligned is {leg['aligned'][name]} for {name}, though it may be {possible}"


def of_spf_leg(truth, taken, leg):
    if leg["domain"] is None:
        return
    passes = {"some" if len(each.spf_results) > 1 and "pass" in each.spf_results else "pass" in each.spf_results
              for each in taken}
    if leg["usable"] != UNKNOWN and passes != {leg["usable"]}:
        yield f"SPF usable is {leg['usable']}, though it may be {passes}"
    domains = {each.spf_domain for each in taken}
    if leg["domain"] not in domains:
        yield f"envelope sender {leg['domain']}, though it is one of {domains}"
    elif len(domains) == 1 and not truth.world.faults and not truth.world.open_facts:
        worst = max((result for each in taken for result in each.spf_results), key=BADNESS.index)
        if leg["result"] != worst:
            yield f"SPF result {leg['result']}, though it is {worst}"
    for vintage, name in VINTAGES.items():
        possible = {each.spf_aligned[vintage] for each in taken}
        if is_wrong(leg["aligned"][name], possible, vintage, taken):
            yield f"SPF aligned is {leg['aligned'][name]} for {name}, though it may be {possible}"


def of_grade(taken, prediction):
    """What a pass rests on must hold in every case; what it does not rest on, not in every case."""
    grade = prediction["grade"]
    if prediction["verdict"] != "pass":
        if grade != "none":
            yield f"grade {grade} of {prediction['verdict']}"
        return
    by_dkim = all(each.dkim_passes[9989] for each in taken)
    by_spf = all(each.spf_results == {"pass"} and each.spf_aligned[9989] for each in taken)
    real = {(True, True): "both-legs", (True, False): "dkim-only", (False, True): "spf-only"}.get((by_dkim, by_spf))
    if real == "both-legs" and grade in ("dkim-only", "spf-only"):
        return  # cautious: a fault may leave a leg open that all that was tried carries
    if grade != real:
        yield f"grade {grade}, though it is {real}"


def of_confidence(world, truth, prediction):
    """Confirmed is only what the account's own fresh word says."""
    if prediction["confidence"] != "confirmed" or prediction["verdict"] != "pass":
        return
    identity = next((each for each in truth.here if each.name == prediction["identity"]["name"]), None)
    if identity is None:
        return
    signer = max((each for each in truth.here if not each.is_address and each.name in truth.verified
                  and account.Identity({"IdentityName": each.name}).covers("", identity.domain)),
                 key=lambda each: len(each.name), default=identity)
    says = identity.status or signer.status
    # The default MAIL FROM has no status.
    said = says if prediction["grade"] == "dkim-only" else not identity.mail_from or identity.mail_from.status
    if prediction["grade"] in ("dkim-only", "spf-only") and (identity.aged or not said):
        yield f"confirmed by {prediction['grade']}, though nothing fresh says so"
