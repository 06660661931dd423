// Alignment over time: stacked bars, by pointer and by keyboard, and the same as a table.

import { at, clock, day, el, moment, number, percent, plural, renew, svg } from "./dom.js";

export const SERIES = [
  { key: "both", label: "DKIM and SPF", about: "both align" },
  { key: "dkim", label: "DKIM alone", about: "a single point of failure" },
  { key: "spf", label: "SPF alone", about: "forwarding breaks it" },
  { key: "unknown", label: "Not known", about: "DNS or the account did not tell" },
  { key: "none", label: "Neither", about: "nothing aligns" },
];
const HEIGHT = 220;
const MARGIN = { top: 10, right: 2, bottom: 26, left: 46 };
const LABEL = 44; // pixels of a label of the axis
const LEAST = 2; // pixels of what is there at all

let shown = { series: [], step: 3600 };
let chosen = -1;

function swatch(key) {
  const id = `hatch-${key}`;
  return svg("svg", { class: "swatch", viewBox: "0 0 14 14", "aria-hidden": "true" },
    svg("rect", { width: 14, height: 14, class: `seg-${key}` }),
    key === "none" && svg("rect", { width: 14, height: 14, fill: `url(#${id})` }));
}

// 1, 2, 5, 10, ...: about four lines of the grid.
function gridStep(most) {
  const rough = Math.max(most / 4, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

const short = (value) =>
  value >= 1e6 ? `${+(value / 1e6).toFixed(1)} M` : value >= 1e4 ? `${+(value / 1e3).toFixed(1)} k` : number(value);

// Heights in pixels: nothing that is there vanishes, and the sum is that of the whole.
function heights(slot, scale) {
  const parts = SERIES.map(({ key }) => ({ key, height: slot[key] ? Math.max(slot[key] * scale, LEAST) : 0 }));
  const surplus = parts.reduce((sum, part) => sum + part.height, 0) - Math.max(slot.messages * scale, 0);
  const largest = parts.reduce((best, part) => (part.height > best.height ? part : best));
  largest.height = Math.max(largest.height - surplus, LEAST);
  return parts.filter((part) => part.height > 0);
}

const slotName = ({ begin }, step) =>
  step >= 86400 ? day(begin) : `${moment(begin)} – ${clock(begin + step)}`;

function slotSentence(slot) {
  const parts = SERIES.filter(({ key }) => slot[key]).map(({ key, label }) => `${label} ${number(slot[key])}`);
  return `${slotName(slot, shown.step)}: ${plural(slot.messages, "message")}${parts.length ? `; ${parts.join(", ")}` : ""}`;
}

// ---- the tip

function showTip(index, x, y) {
  const slot = shown.series[index];
  const tip = at("tip");
  tip.replaceChildren(el("p", {}, slotName(slot, shown.step)), el("table", {}, el("tbody", {},
    [...SERIES].reverse().map(({ key, label }) => slot[key] ? el("tr", {}, el("td", {}, swatch(key)), el("td", {}, label),
      el("td", {}, number(slot[key]))) : null),
    el("tr", {}, el("td"), el("td", {}, "Messages"), el("td", {}, number(slot.messages))))));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 14 + box.width > innerWidth - 8 ? x - 14 - box.width : x + 14;
  tip.style.transform =
    `translate(${Math.max(8, left)}px, ${Math.max(8, Math.min(y - box.height / 2, innerHeight - box.height - 8))}px)`;
}

function choose(index, point) {
  for (const bar of at("plot").querySelectorAll(".hit.on")) bar.classList.remove("on");
  chosen = index;
  const bar = at("plot").querySelectorAll(".hit")[index];
  if (!bar) {
    at("tip").hidden = true;
    return;
  }
  bar.classList.add("on");
  const box = bar.getBoundingClientRect();
  showTip(index, point?.x ?? box.right, point?.y ?? box.top + box.height / 3);
}

function onKey(event) {
  const last = shown.series.length - 1;
  const next = { ArrowLeft: chosen < 0 ? last : Math.max(chosen - 1, 0), ArrowRight: Math.min(chosen + 1, last), Home: 0,
    End: last, Escape: -1 }[event.key];
  if (next === undefined || last < 0) return;
  event.preventDefault();
  choose(next);
  at("plot-now").textContent = next < 0 ? "" : slotSentence(shown.series[next]);
}

function onPoint(event) {
  const bars = [...at("plot").querySelectorAll(".hit")];
  const index = bars.findIndex((bar) => {
    const box = bar.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right;
  });
  choose(index, { x: event.clientX, y: event.clientY });
}

// ---- drawing

function axisLabels(x, width) {
  const { series, step } = shown;
  const each = step >= 86400 ? 86400 : step > 3600 ? 86400 : 3 * 3600;
  const name = each < 86400 ? clock : day;
  const marks = series.map((slot, index) => ({ slot, index })).filter(({ slot }) => slot.begin % each === 0);
  const room = Math.max(1, Math.floor(width / (each < 86400 ? 52 : 62)));
  const stride = Math.ceil(marks.length / room);
  return marks.filter((_, index) => (marks.length - 1 - index) % stride === 0).map(({ slot, index }) =>
    x(index) + LABEL <= MARGIN.left + width
      ? svg("text", { class: "tick", x: x(index), y: HEIGHT - 8 }, name(slot.begin))
      : svg("text", { class: "tick", x: MARGIN.left + width, y: HEIGHT - 8, "text-anchor": "end" }, name(slot.begin)));
}

function bar(slot, left, width, scale) {
  let top = HEIGHT - MARGIN.bottom;
  const group = svg("g", {});
  for (const { key, height } of heights(slot, scale)) {
    top -= height;
    const place = { x: left, y: top, width, height: Math.max(height - (height > 4 ? 1 : 0), 1) };
    group.append(svg("rect", { ...place, class: `seg-${key}` }));
    if (key === "none") group.append(svg("rect", { ...place, fill: "url(#hatch-none)" }));
  }
  return group;
}

function draw() {
  const { series } = shown;
  const width = Math.max(at("plot").clientWidth, 240);
  const inner = width - MARGIN.left - MARGIN.right;
  const most = Math.max(...series.map((slot) => slot.messages), 1);
  const step = gridStep(most);
  const top = Math.ceil(most / step) * step;
  const scale = (HEIGHT - MARGIN.top - MARGIN.bottom) / top;
  const pitch = inner / Math.max(series.length, 1);
  const gap = Math.min(Math.max(pitch * 0.22, 1), 6);
  const x = (index) => MARGIN.left + index * pitch;
  const lines = [];
  for (let value = 0; value <= top; value += step) {
    const y = Math.round(HEIGHT - MARGIN.bottom - value * scale) + 0.5;
    lines.push(svg("line", { class: value ? "grid" : "base", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
      svg("text", { class: "tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, short(value)));
  }
  const hatch = svg("pattern", { id: "hatch-none", width: 5, height: 5, patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)" }, svg("line", { class: "hatch", x1: 0, x2: 0, y1: 0, y2: 5 }));
  renew(at("plot"), svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, "aria-hidden": "true" },
    svg("defs", {}, hatch), ...lines, ...axisLabels(x, inner),
    ...series.map((slot, index) => bar(slot, x(index) + gap / 2, pitch - gap, scale)),
    ...series.map((_, index) => svg("rect", { class: "hit", x: x(index), y: MARGIN.top, width: pitch,
      height: HEIGHT - MARGIN.top - MARGIN.bottom }))));
}

function table({ series, step }) {
  const columns = [...SERIES, { key: "messages", label: "Messages" }];
  return [
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "From"), columns.map(({ label }) => el("th", { scope: "col", class: "number" }, label)))),
    el("tbody", {}, [...series].reverse().map((slot) => el("tr", {}, el("td", { class: "narrow" }, slotName(slot, step)),
      columns.map(({ key }) => el("td", { class: "number" }, number(slot[key])))))),
  ];
}

export function showSeries(overview) {
  shown = { series: overview.series, step: overview.step };
  const { total } = overview;
  renew(at("legend"), SERIES.map(({ key, label, about }) => el("li", { title: about }, swatch(key), el("span", {}, label, " "),
    el("b", {}, percent(total[key], total.messages)))));
  at("plot").setAttribute("aria-label", `Alignment of ${plural(total.messages, "message")}: ${SERIES.map(({ key, label }) =>
    `${label} ${percent(total[key], total.messages)}`).join(", ")}`);
  draw();
  renew(at("series-table"), table(shown));
  if (chosen >= 0 && !at("tip").hidden) choose(Math.min(chosen, shown.series.length - 1));
}

export function startPlot() {
  const plot = at("plot");
  plot.addEventListener("keydown", onKey);
  plot.addEventListener("pointermove", onPoint);
  plot.addEventListener("pointerdown", onPoint);
  for (const name of ["pointerleave", "blur"]) plot.addEventListener(name, () => choose(-1));
  addEventListener("scroll", () => choose(-1), { passive: true });
  new ResizeObserver(() => shown.series.length && draw()).observe(plot);
}
