// The identities of Amazon SES: what SES says, what the watch sees, and SES's clocks.

import { ago, at, badge, el, minute, number, plural, renew, span, text, time } from "./dom.js";

const WORDS = { bad: "✕ needs attention", warning: "! watch it", unknown: "? not known", well: "✓ well" };
const RECORDS = { missing: "bad", degraded: "warning", recovering: "warning", healthy: "well" };

const COUNTDOWNS = {
  signing_stops: { will: "SES stops signing", may: "SES may stop signing at any moment", did: "SES has stopped signing, as far as can be known" },
  revocation: { will: "SES revokes DKIM", may: "SES may have revoked DKIM", did: "SES has revoked DKIM, as far as can be known" },
  mail_from_fallback: { will: "SES falls back to its own MAIL FROM", may: "SES may fall back to its own MAIL FROM at any moment",
    did: "SES uses its own MAIL FROM, as far as can be known" },
  set_up_ends: { will: "SES gives up looking for the records", did: "SES has given up looking for the records" },
};

// What comes next on the clock, with the time that is left.
function countdown({ kind, earliest, latest }, now) {
  const word = COUNTDOWNS[kind] ?? { will: kind, may: kind, did: kind };
  const bad = kind === "revocation" || (latest !== null && now >= latest);
  const box = (...content) => el("p", { class: bad ? "count bad" : "count", "data-kind": kind }, ...content);
  if (latest !== null && now >= latest) return box(el("b", {}, word.did), el("small", {}, `by ${minute(latest)}`));
  if (earliest !== null && now < earliest)
    return box(`${word.will} in `, el("b", {}, span(earliest - now)), " at the earliest",
      el("small", {}, `not before ${minute(earliest)}${latest ? `, at the latest ${minute(latest)}` : ", should it come upon the fault"}`));
  if (latest !== null)
    return box(earliest === null ? `${word.will} in ` : `${word.may ?? word.will}; surely in `, el("b", {}, span(latest - now)),
      el("small", {}, `${earliest === null ? "" : `since ${minute(earliest)}, `}at the latest ${minute(latest)}`));
  return box(el("b", {}, word.may ?? word.will), el("small", {}, `since ${minute(earliest)}, should it come upon the fault`));
}

// Records that are alike but for their names, in one breath.
function alike(records) {
  const groups = new Map();
  for (const each of records) {
    const reason = (each.reason ?? "").replaceAll(each.name, "…");
    const key = [each.part, each.state, each.since, reason].join("\n");
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function record(group) {
  const [{ part, state, since, reason }] = group;
  const why = group.length > 1 ? (reason ?? "").replaceAll(group[0].name, "each") : reason ?? "";
  return el("li", { class: "record" },
    el("p", {}, badge(state, RECORDS[state] ?? "unknown"), ` ${part}`, group.length > 1 && `, ${group.length} records`),
    group.map(({ name }) => el("p", { class: "mono wrap" }, name)),
    state !== "healthy" && (why || since > 0) && el("p", { class: "quiet" }, why, since > 0 ? ` Since ${minute(since)}.` : ""));
}

function facts(identity, now) {
  const rows = [];
  const add = (label, ...value) => rows.push(el("dt", {}, label), el("dd", {}, ...value));
  const { dkim, mail_from: mailFrom } = identity;
  add("DKIM", dkim.signing ? dkim.status ?? "as DNS says" : "switched off", dkim.origin === "AWS_SES" ? "" : `, ${dkim.origin}`);
  add("MAIL FROM", mailFrom.domain ?? "the region's own", mailFrom.domain ? `, ${mailFrom.status ?? "as DNS says"}` : "");
  add("Known", identity.as_of ? time(identity.as_of, `from SES, ${ago(identity.as_of, now)}`) : "from the configuration");
  if (identity.arrival)
    add("Came back", time(identity.arrival.time, ago(identity.arrival.time, now)),
      identity.arrival.dkim_aligned ? ", DKIM aligned" : ", DKIM not aligned", identity.arrival.spf_aligned ? ", SPF aligned" : "");
  return el("dl", { class: "facts" }, rows);
}

const isFault = ({ state }) => state !== "healthy" && state !== "unknown";

function recordsOf(identity, key) {
  const bad = identity.records.filter(isFault);
  const rest = identity.records.filter((each) => !isFault(each));
  const known = rest.every(({ state }) => state === "healthy") ? "healthy" : "not known yet";
  return [
    bad.length > 0 && el("ul", {}, alike(bad).map(record)),
    rest.length > 0 && el("details", { class: "fold", "data-key": key },
      el("summary", { "data-key": `${key}/summary` }, `${plural(rest.length, bad.length ? "other record" : "record")}, ${known}`),
      el("ul", {}, alike(rest).map(record))),
  ];
}

function card(identity, now) {
  const key = `${identity.account}/${identity.region}/${identity.name}`;
  const wide = identity.records.some(isFault);
  return el("li", { class: wide ? "identity wide" : "identity", "data-name": text(identity.name) },
    el("div", { class: "head" }, el("h3", {}, identity.name, " ", el("span", { class: "quiet" }, identity.region,
      identity.account && `, account ${identity.account}`, identity.kind === "address" && ", an address")),
    badge(WORDS[identity.condition] ?? identity.condition, identity.condition)),
    el("div", { class: "halves" },
      el("div", {}, identity.countdowns.map((each) => countdown(each, now)),
        identity.remarks.map((remark) => el("p", { class: "remark" }, remark.text)), facts(identity, now)),
      identity.records.length > 0 && el("div", {}, recordsOf(identity, key))));
}

function note({ watched, snapshot, left_off: leftOff, now }) {
  const parts = [];
  if (snapshot.error) parts.push(`The snapshot cannot be used: ${snapshot.error}.`);
  else if (snapshot.as_of) parts.push(`Snapshot of the account ${ago(snapshot.as_of, now)}.`);
  if (!watched) parts.push("Their records are not watched.");
  if (leftOff) parts.push(`${number(leftOff)} more are not shown.`);
  return parts.join(" ");
}

export function showIdentities(answer) {
  at("identities-note").textContent = text(note(answer));
  renew(at("identities"), answer.identities.length
    ? answer.identities.map((each) => card(each, answer.now))
    : el("li", { class: "empty" }, "No identity is known: the configuration has no [[ses.identity]], and ses.snapshot names no file of sesame sync."));
}

// "All 3 identities are well"; null where none is known.
export function identitiesSentence({ counts, identities }) {
  const all = counts.bad + counts.warning + counts.unknown + counts.well;
  if (!all) return null;
  if (counts.well === all) return { kind: "", label: all === 1 ? "The identity is well" : `All ${number(all)} identities are well` };
  const those = (count, one, many) => (all === 1 ? `The identity ${one}` : `${number(count)} of ${number(all)} identities ${count === 1 ? one : many}`);
  const named = (count) => (count === 1 || all === 1 ? `: ${text(identities[0]?.name)}` : "");
  if (counts.bad) return { kind: "bad", label: those(counts.bad, "needs attention", "need attention") + named(counts.bad) };
  if (counts.warning) return { kind: "warning", label: those(counts.warning, "is to be watched", "are to be watched") + named(counts.warning) };
  return { kind: "", label: those(counts.unknown, "is not known to be well", "are not known to be well") };
}
