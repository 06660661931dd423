// Elements, and how figures and times are written. Text from messages reaches the page through text() alone.

const SVG = "http://www.w3.org/2000/svg";

// What changes the direction of text, or cannot be seen, is shown by its number.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
export function text(value) {
  return String(value ?? "").replace(UNSEEN, (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(text(child)))));
  return element;
}
export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const at = (id) => document.getElementById(id);

// A button that looks like a link; `key` finds it again when the page renews itself.
export function link(label, key, use, attributes) {
  const button = el("button", { type: "button", class: "link", "data-key": key, ...attributes }, label);
  button.addEventListener("click", use);
  return button;
}

// New children in place of the old ones; the focus and what was unfolded stay.
export function renew(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = new Set([...element.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const each of element.querySelectorAll("details[data-key]")) each.open = open.has(each.dataset.key);
  if (key !== undefined)
    [...element.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus({ preventScroll: true });
}

export function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// ---- figures

export const number = (value) => Number(value).toLocaleString("en-US");
export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many ?? `${one}s`}`;

// Never rounded to all or to nothing: "99.99 %" is not "100 %".
export function percent(part, whole) {
  if (!whole) return "–";
  const share = (100 * part) / whole;
  if (part === whole) return "100 %";
  if (part === 0) return "0 %";
  for (const digits of [1, 2, 3]) {
    const shown = share.toFixed(digits);
    if (Number(shown) > 0 && Number(shown) < 100) return `${shown} %`;
  }
  return share < 50 ? "less than 0.001 %" : "more than 99.999 %";
}

export function octets(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(0)} KiB`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

// ---- times, of unix seconds

const two = (value) => String(value).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
export const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16);
export const minute = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
export const second = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
export function day(seconds) {
  const date = new Date(seconds * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}
export function moment(seconds) {
  return `${day(seconds)} ${two(new Date(seconds * 1000).getUTCHours())}:${two(new Date(seconds * 1000).getUTCMinutes())}`;
}
export function span(seconds) {
  const total = Math.max(0, Math.round(seconds));
  if (total < 90) return plural(total, "second");
  if (total < 90 * 60) return plural(Math.round(total / 60), "minute");
  if (total < 36 * 3600) {
    const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)];
    return minutes && hours < 10 ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  const [days, hours] = [Math.floor(total / 86400), Math.floor((total % 86400) / 3600)];
  return hours && days < 10 ? `${plural(days, "day")} ${hours} h` : plural(days, "day");
}
export const ago = (seconds, now) => (now - seconds < 45 ? "just now" : `${span(now - seconds)} ago`);
export const time = (seconds, label) =>
  el("time", { datetime: new Date(seconds * 1000).toISOString(), title: `${second(seconds)} UTC` }, label);

// ---- words

export const badge = (label, kind) => el("span", { class: `badge ${kind}` }, label);

// How a verdict is told, and how bad it is. Of mail sent it is a prediction.
export function verdictBadge(verdict, direction) {
  const words = {
    pass: [direction === "inbound" ? "passed" : "will pass", "well", "✓"],
    fail: [direction === "inbound" ? "failed" : "will fail", "bad", "✕"],
    refused: ["SES refuses", "bad", "✕"],
    none: ["no policy", "unknown", "–"],
    unknown: ["not known", "unknown", "?"],
    temperror: ["DNS failed", "unknown", "?"],
    permerror: ["bad record", "warning", "!"],
  };
  const [label, kind, sign] = words[verdict] ?? [verdict, "unknown", "?"];
  return badge(`${sign} ${label}`, kind);
}

const ACTIONS = { observe: "observed", tag: "tagged", hold: "held", reject: "rejected", tempfail: "deferred" };
export const actionWord = (action) => ACTIONS[action] ?? action;
