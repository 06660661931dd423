// The page as a whole: what is shown, asked for again every half a minute, and kept in the address.

import { ago, at, el, hide, link, minute, number, octets, percent, plural, renew, second, span, text, time } from "./dom.js";
import { identitiesSentence, showIdentities } from "./identities.js";
import { loadMessages, loadOlder, showFilters, startMessages } from "./messages.js";
import { showSeries, startPlot } from "./plot.js";
import { openStory } from "./story.js";

const AGAIN_MS = 30_000;
const USUAL = { since: "7d", direction: "outbound", verdict: "bad", action: "", domain: "", code: "", search: "" };
const PERIODS = { "24h": "24 hours", "7d": "7 days", "30d": "30 days" };

const state = { ...USUAL };
const last = {}; // answer of each question, as text: what did not change is not drawn anew
let sentence = {};
let run = 0;

// ---- asking

async function get(name, query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  let response;
  try {
    response = await fetch(`api/${name}?${parameters}`, { cache: "no-store", headers: { accept: "application/json" } });
  } catch {
    throw new Error("The daemon does not answer.");
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Error(`The daemon answers ${response.status} where an answer to ${name} was expected.`);
  }
  if (!response.ok) throw new Error(answer.error ?? `The daemon answers ${response.status}.`);
  return answer;
}

// ---- the first sentence

function mailSentence({ total }) {
  const mail = `${number(total.messages)} ${state.direction} ${total.messages === 1 ? "message" : "messages"} in ${PERIODS[state.since]}`;
  const what = state.domain ? `${mail} from ${text(state.domain)}` : mail;
  if (!total.messages) return { kind: "", label: `no ${state.direction} message in ${PERIODS[state.since]}${state.domain ? ` from ${text(state.domain)}` : ""}` };
  const bad = total.fail + total.refused;
  const passes = state.direction === "outbound" ? "will pass DMARC" : "passed DMARC";
  return { kind: bad / total.messages >= 0.05 && state.direction === "outbound" ? "bad" : "", label: `${percent(total.pass, total.messages)} of ${what} ${passes}` };
}

const capital = (label) => label.replace(/^no /, "No ");

function showSentence() {
  const parts = [sentence.identities, sentence.mail].filter(Boolean);
  if (!parts.length) return;
  const told = parts.map(({ kind, label }, index) => {
    const whole = index ? label : capital(label);
    return [index ? "; " : "", kind ? el("strong", { class: kind }, whole) : whole];
  });
  renew(at("sentence"), told.flat(), ".");
}

// ---- domains

function trouble(each, tally, now) {
  const { domain, bad, time: micros, queue_id: queueId, code, why } = each;
  const when = micros / 1e6;
  const all = tally ? ` of ${number(tally.messages)} messages (${percent(bad, tally.messages)})` : "";
  const word = each.direction === "inbound" ? "failed" : tally && tally.refused === bad ? "refused by SES" : "will fail";
  return el("li", {},
    el("div", { class: "trouble-head" },
      domain ? link(domain, `domain/${domain}`, () => filter({ domain }), { title: "Show only this domain" }) : el("strong", {}, "From is not usable"),
      el("span", {}, `${number(bad)}${all} ${word}`),
      code && el("span", { class: "quiet" }, link(code, `code/${domain}/${code}`, () => filter({ domain, code })))),
    why && el("p", {}, why),
    micros > 0 && el("p", { class: "quiet" }, "Newest ", time(when, ago(when, now)),
      queueId && [": ", link(queueId, `open/${domain}`, () => openStory(queueId, { time: micros }, get, now), { class: "link mono", "aria-haspopup": "dialog" })]));
}

function domainRow(each) {
  const bad = each.fail + each.refused;
  return el("tr", {},
    el("td", { "data-label": "Domain" }, each.domain ? link(each.domain, `row/${each.domain}`, () => filter({ domain: each.domain })) : el("span", { class: "quiet" }, "not usable")),
    ...[["Messages", number(each.messages)], ["Pass", percent(each.pass, each.messages)], ["Both legs", percent(each.both, each.messages)],
      ["Bad", number(bad)]].map(([label, value]) => el("td", { class: "number", "data-label": label }, value)));
}

function showDomains({ domains, troubles, more_domains: moreDomains, more_troubles: moreTroubles, now }) {
  const tallies = new Map(domains.map((each) => [each.domain, each]));
  renew(at("troubles"), troubles.length ? troubles.map((each) => trouble(each, tallies.get(each.domain), now))
    : el("li", { class: "empty" }, domains.length ? "None: no message failed." : "There is no message in this period."));
  at("domains-note").textContent = moreTroubles ? `The first ${troubles.length}` : "";
  at("all-domains-title").textContent = moreDomains ? `The ${number(domains.length)} domains with the most messages` : `All ${plural(domains.length, "domain")}`;
  hide(at("all-domains"), !domains.length);
  renew(at("domains-table"), el("thead", {}, el("tr", {}, ["Domain", "Messages", "Pass", "Both legs", "Bad"].map((name, index) =>
    el("th", { scope: "col", class: index ? "number" : "" }, name)))), el("tbody", {}, domains.map(domainRow)));
}

// ---- DNS, and what is running here

function showDns({ cache, servers }) {
  if (!cache) return;
  const asked = cache.hits + cache.misses + cache.merged + cache.failures_held;
  at("dns-note").textContent = `${percent(cache.hits, asked)} of ${number(asked)} look-ups from memory; ${number(cache.entries)} answers in ${octets(cache.bytes)}` +
    `${cache.stale ? `; ${number(cache.stale)} answered past their time to live` : ""}`;
  const ms = (value) => (value === null ? "–" : `${number(value)} ms`);
  const silent = ({ health }) => health !== "good";
  renew(at("dns-table"), el("thead", {}, el("tr", {}, ["Server", "Health", "Questions", "Unanswered", "Failures", "Half within", "99 % within"].map((name, index) =>
    el("th", { scope: "col", class: index > 1 ? "number" : "" }, name)))),
  el("tbody", {}, servers.map((each) => el("tr", {}, el("td", { class: "mono", "data-label": "Server" }, each.server),
    el("td", { "data-label": "Health" }, el("span", { class: `badge ${silent(each) ? "bad" : "well"}` }, silent(each) ? "✕ silent" : "✓ answers")),
    ...[["Questions", number(each.queries)], ["Unanswered", number(each.timeouts)], ["Failures", number(each.failures)],
      ["Half within", ms(each.p50_ms)], ["99 % within", ms(each.p99_ms)]].map(([label, value]) => el("td", { class: "number", "data-label": label }, value))))));
}

function historyTrouble({ trouble: why, lost, lag_us: lag, spooled }) {
  const parts = [];
  if (why) parts.push(`The history cannot be written: ${why}.`);
  if (spooled) parts.push(`${plural(spooled, "row waits", "rows wait")} on this host's disk.`);
  if (lag > 60e6) parts.push(`What is shown is ${span(lag / 1e6)} behind.`);
  if (lost) parts.push(`${plural(lost, "message was", "messages were")} not kept since the start.`);
  return parts.join(" ");
}

function showAbout(about) {
  at("host").textContent = text(about.host);
  document.title = `Sesame ${text(about.host)}`;
  const { history } = about;
  const kept = history.store === "none" ? "no history" : `history in ${history.store === "sqlite" ? "SQLite" : "PostgreSQL"}, kept ${span(history.keep_s)}`;
  at("about").textContent = `sesame-milter ${text(about.version)}, running since ${minute(about.started)}; ` +
    `${plural(about.judged, "message")} judged${about.failures ? `, ${number(about.failures)} let through unjudged` : ""}; ${kept}.`;
  const none = history.store === "none";
  hide(at("no-history"), !none);
  for (const id of ["series-section", "domains-section", "messages-section"]) hide(at(id), none);
  return !none;
}

// ---- one round of questions

function changed(name, answer) {
  const { now: _, ...rest } = answer;
  const whole = JSON.stringify(rest) + Math.floor((answer.now ?? 0) / 60);
  const is = last[name] !== whole;
  last[name] = whole;
  return is;
}

async function askHistory(fresh, now) {
  const { since, direction, domain } = state;
  const mine = run;
  const [overview] = await Promise.all([get("overview", { since, direction, domain }), loadMessages(state, get, now, fresh)]);
  if (mine !== run) return;
  sentence.mail = mailSentence(overview);
  at("series-scope").textContent = text(`${direction === "outbound" ? "Outbound" : "Inbound"}, ${PERIODS[since]}${domain ? `, ${domain}` : ""}`);
  if (!changed("overview", overview)) return;
  showSeries(overview);
  showDomains(overview);
}

async function askRest() {
  const [identities, dns] = await Promise.all([get("identities"), get("dns")]);
  sentence.identities = identitiesSentence(identities);
  if (changed("identities", identities)) showIdentities(identities);
  if (changed("dns", dns)) showDns(dns);
}

function tellTrouble(parts) {
  const whole = parts.filter(Boolean).join(" ");
  if (at("trouble").textContent !== whole) at("trouble").textContent = whole;
  hide(at("trouble"), !whole);
}

// A round that another one overtook tells nothing.
async function refresh(fresh) {
  const mine = ++run;
  const troubles = [];
  try {
    const about = await get("about");
    const kept = showAbout(about);
    troubles.push(historyTrouble(about.history));
    const done = await Promise.allSettled([askRest(), ...(kept ? [askHistory(fresh, about.now)] : [])]);
    troubles.push(...done.filter(({ status }) => status === "rejected").map(({ reason }) => reason.message));
    if (!kept) sentence.mail = null;
    if (mine !== run) return;
    showSentence();
    at("fresh").textContent = `As of ${second(about.now)} UTC; renews itself.`;
  } catch (error) {
    troubles.push(error.message);
  }
  if (mine === run) tellTrouble(troubles);
}

// ---- what is shown, in the address as well

function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1));
  for (const [name, usual] of Object.entries(USUAL)) state[name] = found.get(name) ?? usual;
  if (!(state.since in PERIODS)) state.since = USUAL.since;
  if (!["outbound", "inbound"].includes(state.direction)) state.direction = USUAL.direction;
  for (const input of at("view").elements) if (input.type === "radio") input.checked = state[input.name] === input.value;
}

function writeAddress() {
  const told = Object.entries(state).filter(([name, value]) => value !== USUAL[name]);
  const hash = new URLSearchParams(told).toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function filter(change) {
  Object.assign(state, change);
  writeAddress();
  showFilters(state);
  return refresh(true);
}

function start() {
  readAddress();
  showFilters(state);
  startMessages({ open: (row) => openStory(row.queue_id, row, get, Date.now() / 1000), filter });
  startPlot();
  at("view").addEventListener("change", ({ target }) => {
    const other = target.name === "direction" ? { verdict: USUAL.verdict, code: "" } : {};
    filter({ [target.name]: target.value, ...other });
  });
  let typing;
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  const onFilters = ({ target }) => {
    clearTimeout(typing);
    const whole = () => filter(Object.fromEntries(new FormData(at("filters"))));
    typing = setTimeout(whole, target === at("search") ? 250 : 0);
  };
  for (const name of ["input", "change"]) at("filters").addEventListener(name, onFilters);
  at("older").addEventListener("click", () => loadOlder(state, get, Date.now() / 1000).catch((error) => tellTrouble([error.message])));
  at("story-close").addEventListener("click", () => at("story").close());
  at("story").addEventListener("click", (event) => event.target === at("story") && at("story").close());
  addEventListener("hashchange", () => { readAddress(); showFilters(state); refresh(true); });
  document.addEventListener("visibilitychange", () => document.hidden || refresh(false));
  setInterval(() => document.hidden || refresh(false), AGAIN_MS);
  refresh(true);
}
start();
