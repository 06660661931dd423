// What became of one message, and what DNS said while it was judged.

import { actionWord, ago, at, badge, el, moment, number, plural, second, text, time, verdictBadge } from "./dom.js";

const SEVERITIES = { error: "bad", warning: "warning", info: "unknown", unknown: "unknown" };

const yesNo = (value) => (value === true ? "yes" : value === false ? "no" : "not known");
const list = (value) => (Array.isArray(value) ? value : []);

function factList(rows) {
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]));
}

function envelope(row, now) {
  const when = row.time / 1e6;
  return factList([
    ["Judged", el("span", {}, `${second(when)} UTC, `, time(when, ago(when, now)), row.host && ` on ${text(row.host)}`)],
    ["Direction", row.direction],
    ["From domain", row.from_domain || "not usable"],
    ["Envelope sender", `<${row.mail_from}>`],
    ["Message-ID", row.message_id],
    ["Client", row.client || (row.direction === "outbound" ? "submitted on the host" : "")],
    ["Identity", [row.identity, row.region, row.account && `account ${row.account}`].filter(Boolean).join(", ")],
    ["Policy asks", row.disposition],
    ["Vouched for by", row.forwarder],
    ["Time", `${number(Math.round(row.took_us / 1000))} ms, of which ${number(Math.round(row.waited_us / 1000))} ms for DNS`],
  ]);
}

const CAN = { true: "will be there and verify", false: "is of no use", unknown: "nobody can tell whether it will verify" };

// What a leg comes to, in a sentence.
function leg(label, { domain, usable, aligned, result, reason } = {}) {
  const aligns = aligned?.rfc9989;
  const sentence = !domain ? "none" : `${domain} ${CAN[usable] ?? CAN.unknown}${result ? ` (SPF ${result})` : ""}, ${
    aligns === true ? "aligned" : aligns === false ? "not aligned" : "alignment not known"}`;
  return [label, el("span", {}, sentence, reason && el("span", { class: "quiet" }, `; ${reason}`))];
}

function prediction(story) {
  if (!story.legs) return null;
  const dmarc = story.dmarc?.rfc9989;
  return [el("h3", {}, "What SES makes of it"), factList([
    leg("DKIM", story.legs.dkim), leg("SPF", story.legs.spf),
    ["DMARC", dmarc && `${dmarc.result}, p=${dmarc.policy ?? "none published"}${dmarc.record_domain ? ` at ${dmarc.record_domain}` : ""}`],
    ["Older receivers", story.dmarc?.rfc7489 && `${story.dmarc.rfc7489.result} by RFC 7489`],
    ["Grade", story.grade], ["Confidence", story.confidence], ["Configuration set", story.configuration_set]])];
}

function verification(story) {
  if (story.legs || !story.dmarc) return null;
  const { dmarc, spf, arc } = story;
  const signatures = list(story.dkim).map(({ domain, selector, result, reason }) =>
    el("span", { class: "wrap" }, `${result} ${domain ?? "?"}${selector ? ` s=${selector}` : ""}`, reason && el("span", { class: "quiet" }, ` ${reason}`), el("br")));
  return [el("h3", {}, "What was found"), factList([
    ["SPF", spf && el("span", {}, `${spf.result} ${spf.domain ?? ""}`, spf.reason && el("span", { class: "quiet" }, ` ${spf.reason}`))],
    ["DKIM", signatures.length ? el("span", {}, signatures) : "no signature"],
    ["ARC", arc?.result],
    ["DMARC", `${dmarc.result}, p=${dmarc.policy ?? "none published"}${dmarc.record_domain ? ` at ${dmarc.record_domain}` : ""}`],
    ["Aligned", `DKIM ${yesNo(dmarc.aligned?.dkim)}, SPF ${yesNo(dmarc.aligned?.spf)}`], ["Reason", dmarc.reason]])];
}

function findings(story) {
  const all = list(story.findings);
  if (!all.length) return null;
  return [el("h3", {}, "Findings"), el("ul", { class: "findings" }, all.map(({ code, severity, text: what, advice }) =>
    el("li", {}, badge(severity, SEVERITIES[severity] ?? "unknown"), " ", el("code", {}, code), el("p", {}, what),
      advice && el("p", { class: "quiet" }, advice))))];
}

function repairs(story) {
  const all = list(story.repairs);
  if (!all.length) return null;
  return [el("h3", {}, "Mended on the way"), el("ul", {}, all.map(({ reason, field, occurrence }) =>
    el("li", { class: "wrap" }, `${field} (${reason}), occurrence ${occurrence}`)))];
}

function dnsRecord({ name, type, status, ttl, data, cnames, stale }) {
  return el("li", { class: "dns-record" }, el("span", { class: "mono" }, name), ` ${type} `,
    status !== "ok" && badge(status, status === "nxdomain" || status === "nodata" ? "warning" : "bad"), stale && badge("stale", "warning"),
    status === "ok" && el("span", { class: "quiet" }, `TTL ${number(ttl)}`),
    list(cnames).map((each) => el("code", {}, `CNAME ${text(each)}`)), list(data).map((each) => el("code", {}, each)));
}

function records(story) {
  if (story.left_out) return [el("h3", {}, "DNS as it was"), el("p", { class: "quiet" }, "There was more than is kept of one message.")];
  const all = list(story.records);
  if (!all.length) return null;
  return [el("h3", {}, "DNS as it was"), el("p", { class: "quiet" }, `${plural(all.length, "answer")} that the verdict was made of.`),
    el("ul", {}, all.map(dnsRecord))];
}

function body(row, now) {
  const story = row.story ?? {};
  return [
    el("p", {}, verdictBadge(row.verdict, row.direction), " ",
      row.action !== "accept" && badge(actionWord(row.action), "unknown")),
    el("p", { class: "why-line" }, row.why), envelope(row, now), prediction(story), verification(story), findings(story),
    repairs(story), records(story),
    el("details", { class: "fold" }, el("summary", {}, "The event as JSON"),
      el("pre", { class: "raw", tabindex: "0" }, el("code", {}, JSON.stringify(row.story ?? row, null, 2).split("\n").map((line) => [text(line), el("br")])))),
  ].flat().filter(Boolean);
}

function tell(answer, wanted, now) {
  const rows = answer.messages;
  const index = Math.max(0, rows.findIndex(({ time: when, sequence }) => wanted && when === wanted.time && sequence === wanted.sequence));
  const show = (which) => {
    at("story-title").textContent = text(`Message ${rows[which].queue_id || "without queue id"}`);
    at("story-body").replaceChildren(...(rows.length > 1 ? [choice(which)] : []), ...body(rows[which], now));
  };
  const choice = (which) => {
    const select = el("select", { id: "story-which" }, rows.map((row, place) =>
      el("option", { value: place, selected: place === which }, `${moment(row.time / 1e6)}, ${row.direction}, from ${row.from_domain}`)));
    select.addEventListener("change", () => show(Number(select.value)));
    return el("p", { class: "filters" }, el("label", { class: "wide" }, `${rows.length} messages had this queue id`, select));
  };
  show(index);
}

// `wanted`: the row that was clicked on; where there is none, the newest.
export async function openStory(queueId, wanted, get, now) {
  const dialog = at("story");
  at("story-title").textContent = text(`Message ${queueId}`);
  at("story-body").replaceChildren(el("p", { class: "quiet" }, "Asking the daemon …"));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  try {
    const answer = queueId ? await get("message", { queue_id: queueId }) : { messages: [wanted] };
    if (dialog.open) tell(answer, wanted, now);
  } catch (error) {
    at("story-body").replaceChildren(el("p", { class: "notice" }, error.message));
  }
}
