// Single messages: the list, its filters, and pages of older ones.

import { actionWord, ago, at, badge, el, hide, link, moment, renew, text, time, verdictBadge } from "./dom.js";

const PAGE = 20;
const VERDICTS = {
  outbound: [["bad", "Failures"], ["", "Everything"], ["pass", "Will pass"], ["fail", "Will fail"], ["refused", "Refused by SES"],
    ["unknown", "Not known"], ["none", "No policy"]],
  inbound: [["bad", "Failures"], ["", "Everything"], ["pass", "Passed"], ["fail", "Failed"], ["none", "No policy"],
    ["temperror", "DNS failed"], ["permerror", "Bad record"]],
};
const ACTIONS = ["accept", "observe", "tag", "hold", "reject", "tempfail"];

let rows = [];
let next = null;
let asked = 0; // an answer that a later question overtook is not shown
let use = {};

const key = (row) => `${row.origin}/${row.sequence}`;

function option(value, label, chosen) {
  return el("option", { value, selected: value === chosen }, label);
}

function line(row, now) {
  const when = row.time / 1e6;
  const open = () => use.open(row);
  return el("tr", { "data-id": text(row.queue_id) },
    el("td", { class: "narrow", "data-label": "Judged" }, time(when, now - when < 86400 ? ago(when, now) : moment(when))),
    el("td", { "data-label": "From domain" }, row.from_domain
      ? link(row.from_domain, `${key(row)}/domain`, () => use.filter({ domain: row.from_domain })) : el("span", { class: "quiet" }, "not usable")),
    el("td", { "data-label": "Verdict" }, el("span", { class: "stack" }, verdictBadge(row.verdict, row.direction),
      !["accept", "observe"].includes(row.action) && badge(actionWord(row.action), "unknown"))),
    el("td", { class: "why", "data-label": "Why" }, el("span", {}, row.why,
      row.code && el("span", { class: "code" }, link(row.code, `${key(row)}/code`, () => use.filter({ code: row.code }))))),
    el("td", { class: "narrow", "data-label": "Message" }, link(row.queue_id || "open", `${key(row)}/open`, open,
      { "aria-haspopup": "dialog", class: "link mono" })));
}

function draw(now, { verdict, search }) {
  const table = at("messages");
  if (!rows.length) {
    const found = search ? "Nothing was found." : verdict === "bad" ? "No message failed." : "There is no such message.";
    renew(table, el("tbody", {}, el("tr", {}, el("td", { class: "empty" }, found))));
  } else {
    renew(table, el("thead", {}, el("tr", {}, ["Judged", "From domain", "Verdict", "Why", "Message"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((row) => line(row, now))));
  }
  hide(at("older"), next === null);
}

export function showFilters({ direction, verdict, action, domain, code, search }) {
  renew(at("verdict"), VERDICTS[direction].map(([value, label]) => option(value, label, verdict)));
  renew(at("action"), option("", "Any", action), ACTIONS.map((each) => option(each, actionWord(each), action)));
  if (document.activeElement !== at("search")) at("search").value = search;
  const chip = (label, change) => el("li", {}, link(`${text(label)} ×`, label, () => use.filter(change), { "aria-label": `Remove the filter ${text(label)}`, class: "" }));
  renew(at("chips"), domain && chip(`Domain ${domain}`, { domain: "" }), code && chip(`Code ${code}`, { code: "" }));
}

const query = ({ since, direction, verdict, action, domain, code, search }) =>
  ({ since, direction, verdict, action, domain, code, search, most: PAGE });

// `fresh`: other messages are asked for than before; else new ones are put on top of those that are shown.
export async function loadMessages(state, get, now, fresh) {
  const mine = ++asked;
  const answer = await get("messages", query(state));
  if (mine !== asked) return;
  if (fresh || rows.length <= PAGE) {
    rows = answer.messages;
    next = answer.next;
  } else {
    const known = new Set(rows.map(key));
    rows = [...answer.messages.filter((row) => !known.has(key(row))), ...rows];
  }
  draw(now, state);
}

export async function loadOlder(state, get, now) {
  if (next === null) return;
  const answer = await get("messages", { ...query(state), before: next });
  rows = [...rows, ...answer.messages];
  next = answer.next;
  draw(now, state);
}

export function startMessages(uses) {
  use = uses;
}
