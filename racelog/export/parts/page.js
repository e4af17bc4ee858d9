"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const race = data.summary, byId = (id) => document.getElementById(id);
// The colours of player and card, on this page's ground.
const ground = matchMedia("(prefers-color-scheme: dark)").matches ? 1 : 0, PALETTE = data.palette[ground];
const lanes = new Map(race.lanes.map((lane) => [lane.lane, { ...lane, paint: data.colors[lane.lane][ground] }]));
const digits = (value, places) => value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
// A request's and a token's figures, by the rule of racelog.figures; a lane's come written.
const figure = (value) => value == null ? "-" : value === 0 ? "0" : Math.abs(value) < 0.0005 ? "<0.001" : digits(value, Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : Math.abs(value) >= 0.9995 ? 2 : 3);
const times = (ratio) => { const places = ratio >= 100 ? 0 : ratio >= 10 ? 1 : 2; return `${digits(Math.floor(ratio * 10 ** places + 1e-9) / 10 ** places, places)}x`; };
const duration = (ms) => ms == null ? "-" : Math.abs(ms) >= 999.5 ? `${figure(ms / 1000)} s` : `${figure(ms)} ms`;

function make(tag, text, parent, kind) {
  const element = document.createElement(tag);
  if (text != null) element.textContent = text;
  if (kind) element.className = kind;
  if (parent) parent.append(element);
  return element;
}

function draw(parent, tag, facts, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(facts)) element.setAttribute(name, value);
  if (text != null) element.textContent = text;
  parent.append(element);
  return element;
}

function key(parent, paint) {
  const dot = make("span", "", parent, "key");
  dot.style.background = paint;
}

function nice(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((step) => step * unit).find((step) => step >= value * 0.9999);
}

function chart(id, xs, ys, xUnit, yUnit) {
  const svg = byId(id), width = 520, height = 230, left = 58, bottom = 30, top = 10;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), 0) || 1, xMax = most(xs), yMax = nice(most(ys));
  const x = (value) => left + (width - left - 8) * value / xMax;
  const y = (value) => height - bottom - (height - bottom - top) * value / yMax;
  for (const part of [0, 0.5, 1]) {
    draw(svg, "line", { x1: left, x2: width - 8, y1: y(yMax * part), y2: y(yMax * part), class: "axis" });
    draw(svg, "text", { x: left - 6, y: y(yMax * part) + 5, "text-anchor": "end" }, (yMax * part).toLocaleString("en-US"));
    draw(svg, "text", { x: x(xMax * part), y: height - 6, "text-anchor": part === 1 ? "end" : part ? "middle" : "start" }, part ? figure(xMax * part) + (part === 1 ? ` ${xUnit}` : "") : "0");
  }
  draw(svg, "text", { x: left + 6, y: top + 18 }, yUnit);
  return { svg, x, y };
}

const path = (points, at) => points.map(([px, py], i) => `${i ? "L" : "M"}${at.x(px).toFixed(1)},${at.y(py).toFixed(1)}`).join("");
const seconds = (counts) => counts.length === 1 ? [[0, counts[0]], [1, counts[0]]] : counts.map((n, i) => [i + 0.5, n]);
const since = (request, t) => (t - (data.starts[request.lane_id] ?? 0)) / 1e9;

function headline() {
  byId("name").textContent = race.name || race.race_id;
  const first = lanes.get(race.winner), second = lanes.get(race.standings.find((id) => id !== race.winner && lanes.get(id).place != null && lanes.get(id).ttft_ms));
  const ahead = first?.ttft_ms && second ? `, ${times(second.ttft_ms.p50 / first.ttft_ms.p50)} ahead of ${second.engine} (${data.figures[second.lane][0]})` : "";
  byId("verdict").textContent = first && first.ttft_ms
    ? `${first.emoji} ${first.engine}${race.lanes.length > 1 ? " wins" : ""}: ${race.ranked_by} ${data.figures[first.lane][0]}${ahead}`.trim() : `${race.nobody}.`;
  for (const lane of race.lanes) if (lane.dnf) make("p", `${lane.engine} DNF: ${lane.dnf}`, byId("warnings"));
  if (race.caveat) make("p", `But ${race.caveat}.`, byId("warnings"));
  for (const warning of data.warnings) make("p", warning, byId("warnings"));
  byId("facts").textContent = [race.race_id, race.status, race.started_at, race.grid, duration(race.duration_s * 1000),
    race.concurrency ? `concurrency ${race.concurrency}` : "", `seed ${race.seed}`, data.imported_from && `measured by ${data.imported_from}, not by racelog`].filter(Boolean).join(" · ");
}

const LANE_KINDS = ["", "text", "text minor", "apart", "", "", "apart", "", "apart", "", "apart", "", "", ""];

function laneTable() {
  const table = byId("lanes"), thead = make("thead", null, table), groups = make("tr", null, thead), head = make("tr", null, thead);
  for (const [title, columns, kind] of [["", 2, ""], ["", 1, "minor"], ["TTFT", 3, "apart"], ["TPOT", 2, "apart"], ["ITL", 2, "apart"], ["", 4, ""]])
    make("th", title, groups, kind).colSpan = columns;
  ["#", "engine", "model", "p50", "p90", "p99", "p50", "p99", "p50", "p99", "tokens/s", "success", "ok", "failed"]
    .forEach((title, i) => make("th", title, head, LANE_KINDS[i]));
  const body = make("tbody", null, table);
  for (const id of race.standings) {
    const lane = lanes.get(id), row = make("tr", null, body);
    make("td", lane.dnf ? "DNF" : lane.place ?? "-", row);
    const name = make("td", null, row, "text");
    key(name, lane.paint);
    name.append(`${lane.emoji} ${lane.engine}`.trim());
    make("td", lane.model, row, "text minor");
    data.figures[id].forEach((text, i) => make("td", text, row, LANE_KINDS[i + 3]));
  }
}

function charts() {
  const timed = data.requests.filter((r) => r.phase === "race" && r.ttft_ms != null && r.t_sent_ns != null);
  let at = chart("ttft", timed.map((r) => since(r, r.t_sent_ns)), timed.map((r) => r.ttft_ms), "s", "ms");
  for (const r of timed) {
    const dot = draw(at.svg, "circle", { cx: at.x(since(r, r.t_sent_ns)), cy: at.y(r.ttft_ms), r: 3.5, fill: lanes.get(r.lane_id).paint, "fill-opacity": 0.75 });
    draw(dot, "title", {}, `${lanes.get(r.lane_id).engine}, request ${r.request_id}: ${duration(r.ttft_ms)}`);
    dot.addEventListener("click", () => show(r));
  }
  at = chart("rate", race.lanes.map((l) => l.timeline_tokens_per_s.length), race.lanes.flatMap((l) => l.timeline_tokens_per_s), "s", "");
  for (const lane of lanes.values())
    draw(at.svg, "path", { d: path(seconds(lane.timeline_tokens_per_s), at), fill: "none", stroke: lane.paint, "stroke-width": 1.8 });
  const gaps = new Map([...lanes.keys()].map((id) => [id, []]));
  for (const r of data.requests) {
    if (r.phase !== "race" || r.status !== "ok" || !lanes.get(r.lane_id).itl_ms) continue;
    const times = (data.tokens[`${r.lane_id}/${r.request_id}`] ?? []).map(([t]) => t);
    for (let i = 1; i < times.length; i++) gaps.get(r.lane_id).push(times[i] - times[i - 1]);
  }
  for (const list of gaps.values()) list.sort((a, b) => a - b);
  const p99 = [...gaps.values()].filter((l) => l.length).map((l) => l[Math.floor(0.99 * (l.length - 1))]);
  byId("gaps-figure").hidden = !p99.length;
  at = chart("gaps", p99.length ? p99 : [1], [1], "ms", "");
  const most = p99.length ? Math.max(...p99) : 1;
  for (const [id, list] of gaps) {
    const step = Math.max(1, Math.floor(list.length / 300));
    const points = list.map((gap, i) => [gap, (i + 1) / list.length]).filter(([gap], i) => gap <= most && i % step === 0);
    draw(at.svg, "path", { d: path(points, at), fill: "none", stroke: lanes.get(id).paint, "stroke-width": 1.8 });
  }
  const gpus = data.gpus.filter((g) => g.util_pct != null);
  byId("gpu-figure").hidden = !gpus.length;
  if (!gpus.length) return;
  at = chart("gpu", gpus.map((g) => g.t_ns / 1e9), [100], "s", "%");
  [...new Set(gpus.map((g) => g.device))].forEach((device, i) =>
    draw(at.svg, "path", { d: path(gpus.filter((g) => g.device === device).map((g) => [g.t_ns / 1e9, g.util_pct]), at), fill: "none", stroke: PALETTE[i % PALETTE.length] }));
}

const COLUMNS = [
  ["engine", (r) => lanes.get(r.lane_id).engine, "text"], ["request", (r) => r.request_id, "minor"], ["phase", (r) => r.phase, "text minor"],
  ["status", (r) => r.error_kind ? `${r.status}: ${r.error_kind}` : r.status, "text"],
  ["sent", (r) => r.t_sent_ns == null ? null : since(r, r.t_sent_ns) * 1000], ["TTFT", (r) => r.ttft_ms], ["TPOT", (r) => r.tpot_ms],
  ["E2E", (r) => r.e2e_ms], ["in", (r) => r.input_tokens, "whole minor"], ["out", (r) => r.output_tokens, "whole minor"],
  ["prompt", (r) => r.prompt, "text long"], ["response", (r) => r.response, "text long"],
];
let sorted = 4, ascending = true, chosen = null;

function requestTable() {
  const wanted = byId("find").value.toLowerCase(), value = COLUMNS[sorted][1];
  const rows = data.requests.filter((r) => !wanted || COLUMNS.some(([, of]) => String(of(r) ?? "").toLowerCase().includes(wanted)));
  rows.sort((a, b) => {
    const x = value(a), y = value(b);
    if (x == null || y == null) return (x == null) - (y == null);
    return (x < y ? -1 : x > y ? 1 : 0) * (ascending ? 1 : -1);
  });
  byId("count").textContent = `${rows.length} of ${data.requests.length} requests`;
  const table = byId("requests");
  table.replaceChildren();
  const head = make("tr", null, make("thead", null, table)), body = make("tbody", null, table);
  COLUMNS.forEach(([title, , kind], i) => {
    const cell = make("th", title + (i === sorted ? ascending ? " ▲" : " ▼" : ""), head, kind);
    cell.tabIndex = 0;
    const sort = () => { ascending = i === sorted ? !ascending : true; sorted = i; requestTable(); };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
  for (const r of rows) {
    const row = make("tr", null, body, r === chosen ? "chosen" : "");
    row.tabIndex = 0;
    for (const [title, of, kind] of COLUMNS) {
      const said = of(r), number = typeof said === "number" && !kind?.includes("whole") && title !== "request";
      const cell = make("td", null, row, kind);
      if (title === "engine") key(cell, lanes.get(r.lane_id).paint);
      cell.append(said == null ? "-" : number ? duration(said) : String(said).slice(0, 300));
    }
    row.addEventListener("click", () => show(r));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") show(r); });
  }
}

function show(r) {
  chosen = r;
  requestTable();
  byId("detail").hidden = false;
  byId("detail-title").textContent = `${lanes.get(r.lane_id).engine}, request ${r.request_id}`;
  byId("detail-facts").textContent = [`prompt: ${r.prompt ?? ""}`, `HTTP ${r.http_status ?? "-"}`, r.finish_reason, `tokens by ${r.token_basis}`].filter(Boolean).join(" · ");
  const tokens = data.tokens[`${r.lane_id}/${r.request_id}`] ?? [], svg = byId("timeline"), words = byId("words");
  svg.replaceChildren();
  words.replaceChildren();
  byId("at").textContent = tokens.length ? "Point at a token." : data.left_out ? "No time line: the page holds the race's first tokens only." : "No token arrived.";
  if (!tokens.length) return;
  const from = (r.t_sent_ns ?? tokens[0][0] * 1e6) / 1e6, to = Math.max(tokens[tokens.length - 1][0], (r.t_end_ns ?? 0) / 1e6, from + 1e-6);
  const x = (t) => 8 + 1144 * (t - from) / (to - from), paint = lanes.get(r.lane_id).paint;
  svg.setAttribute("viewBox", "0 0 1160 90");
  draw(svg, "rect", { x: x(from), y: 24, width: Math.max(0, x(tokens[0][0]) - x(from)), height: 36, fill: paint, "fill-opacity": 0.15 });
  draw(svg, "text", { x: x(from), y: 16 }, `sent; first token after ${duration(r.ttft_ms)}`);
  draw(svg, "text", { x: 1152, y: 80, "text-anchor": "end" }, duration(to - from));
  tokens.forEach(([t, text], i) => {
    const tick = draw(svg, "rect", { x: x(t), y: 24, width: 2, height: 36, fill: paint }), word = make("span", text, words);
    const point = () => {
      words.querySelector(".now")?.classList.remove("now");
      word.classList.add("now");
      byId("at").textContent = `token ${i}: ${duration(t - from)} after sending` + (i ? `, ${duration(t - tokens[i - 1][0])} after the one before` : "");
    };
    tick.addEventListener("mouseenter", point);
    word.addEventListener("mouseenter", point);
  });
}

headline();
laneTable();
charts();
requestTable();
byId("find").addEventListener("input", requestTable);

// A link to one request: page.html#<lane>/<request>
function follow() {
  const linked = data.requests.find((r) => `#${r.lane_id}/${r.request_id}` === location.hash);
  if (linked) show(linked);
}
addEventListener("hashchange", follow);
follow();
