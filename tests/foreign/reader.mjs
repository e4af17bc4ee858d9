// Reads a racelog log; written from schemas/log-format.md alone: `node reader.mjs [--chunks] LOG...`, files or directories of *.rlog.
// Needs node 20.15 and zstd. stdout: the events as JSON lines, with --chunks the rows of `tok`; stderr: counts and damage.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { decompress, fits, parse, saysItsSize, write } from "./node20.mjs";

const schema = JSON.parse(readFileSync(new URL("../../schemas/events.v1.schema.json", import.meta.url)));
const RULES = new Map(Object.values(schema.$defs).map((rule) => [rule.properties.k?.enum[0], rule]));
const [PREFIX, TRAILER_BYTES, MAX_FRAME_BYTES] = [Buffer.from("5c2a4d183c000000524c4731", "hex"), 68, 67_372_032];
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const is64Bit = (number) => BigInt.asIntN(64, number) === number; // throws unless it is an integer
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0), demand = (holds, otherwise) => { if (!holds) throw new Error(otherwise); };

function* scan(bytes, file) { // "Reading", 1 to 5: the units whose checksums hold, and the damage between them
  let settled = 0;
  for (let at = -1; (at = bytes.indexOf(PREFIX, at + 1)) >= 0 && at + TRAILER_BYTES <= bytes.length;) {
    const trailer = bytes.subarray(at, at + TRAILER_BYTES), begin = at - trailer.readUInt32LE(52), after = settled;
    if (begin < settled || at - begin > MAX_FRAME_BYTES || crc32(trailer.subarray(0, 64)) !== trailer.readUInt32LE(64)) continue;
    const frame = bytes.subarray(begin, at), whole = crc32(frame) === trailer.readUInt32LE(60);
    settled = at + TRAILER_BYTES;
    demand(!whole || trailer.readUInt16LE(14) <= 1, "newer framing");
    const bad = (whole ? begin : settled) - after, length = settled - begin;
    if (bad) yield { file, offset: after, length: bad };
    const [writer, seq, size] = [trailer.readBigUInt64LE(16), trailer.readBigUInt64LE(24), trailer.readUInt32LE(56)];
    if (whole) yield { file, offset: begin, length, frame, writer, seq, size };
  }
  if (settled < bytes.length) yield { file, offset: settled, length: bytes.length - settled };
}

function unpack({ q, r, d, x, ...rest }) { // `tok.packed`: walk the rows, take the next request and text of each one's track
  const counts = q.flatMap((track) => track.filter((_, i) => i % 2)), rows = [...r];
  demand(counts.reduce((sum, count) => sum + count, 0n) === BigInt(rows.length) && x.length === rows.length, "tracks");
  demand(d.length <= 8 && d.every((place) => place.length === rows.length && !/[^A-Za-z0-9+/]/.test(place)), "digits");
  const [texts, gap] = [[...x].reverse(), (row) => d.reduce((sum, place) => sum * 64n + BigInt(DIGITS.indexOf(place[row])), 0n)];
  const chunks = (track) => track.flatMap((one, i) => (i % 2 ? [] : Array(Number(track[i + 1])).fill(one))).map((one) => [one, texts.pop()]);
  const tracks = q.map((track) => chunks(track).reverse()), taken = rows.map((letter) => tracks[letter.codePointAt(0) - 0x30].pop());
  return { ...rest, k: "tok", r: taken.map(([one]) => one), d: rows.map((_, row) => gap(row)), x: taken.map(([, text]) => text) };
}

function readEvent(line) { // throws if the line is no event
  const said = parse(line), { k, t, v = 1n } = said;
  demand(typeof k === "string" && typeof v === "bigint" && is64Bit(t), "not an event");
  if (v !== 1n || !RULES.has(k)) return { t, line };
  demand(fits(said, RULES.get(k)), "a wrong field");
  const event = k === "tok.packed" ? unpack(said) : said, { d = [] } = event, { properties } = RULES.get(event.k);
  const says = (name) => Object.hasOwn(properties, name) && write(event[name]) !== JSON.stringify(properties[name].default);
  const known = Object.keys(event).filter(says);
  const columns = known.filter((name) => event.d && (Array.isArray(event[name]) || (event.r && /^[cs]$/.test(name))));
  demand(columns.every((name) => [...event[name]].length === d.length), "columns differ in length");
  demand(d.every((gap) => gap >= 0n) && is64Bit(d.reduce((sum, gap) => sum + gap, t)), "an instant out of range");
  return { t, line: write(Object.fromEntries(known.map((name) => [name, event[name]]))), event };
}

function readUnit({ content, writer, seq }) {
  const lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content).split("\n");
  if (lines.at(-1) === "") lines.pop();
  demand(lines.length <= 1_000_000, "too many events");
  return lines.map((line, position) => ({ ...readEvent(line), writer, seq, position }));
}

function supersededBy({ event, writer }, units) { // "Reading", 8: the sources of a segment's head, if it is whole
  const own = new Map(units.filter((unit) => unit.writer === writer).map((unit) => [unit.seq, unit.events]));
  const events = [...own.values()].flat(), fin = events.find((one) => one.event?.k === "fin")?.event;
  const whole = event?.role === "seal" && fin && BigInt(events.length - 1) === (fin.events ?? 0n);
  return whole ? (event.sources ?? []).map((name) => BigInt(`0x${name}`)).filter((source) => source !== writer) : [];
}

function read(path) { // the events in order, and the report of reading them
  const names = statSync(path).isDirectory() ? readdirSync(path).filter((name) => name.endsWith(".rlog")).sort() : [""];
  const found = names.flatMap((name) => [...scan(readFileSync(join(path, name)), name || basename(path))]);
  decompress(found.filter((part) => part.frame && part.size <= 64 << 20 && saysItsSize(part)));
  for (const part of found) try { if (part.content) part.events = readUnit(part); } catch { /* damage */ }
  const units = found.filter((part) => part.events), heads = units.filter((unit) => unit.seq === 0n && unit.events.length);
  const superseded = new Set(heads.flatMap((unit) => supersededBy(unit.events[0], units)));
  const report = { duplicate_units: 0, superseded_units: 0, damage: [] }, seen = new Map();
  for (const { file, offset, length, frame, writer, seq, events } of found) {
    if (frame && superseded.has(writer)) report.superseded_units += 1;
    else if (frame && seen.has(`${writer} ${seq}`)) report.duplicate_units += 1;
    else if (events) seen.set(`${writer} ${seq}`, events);
    else report.damage.push({ file, offset, length });
  }
  demand(seen.size, "not a log");
  const order = (a, b) => compare(a.t, b.t) || compare(a.writer, b.writer) || compare(a.seq, b.seq) || a.position - b.position;
  return { events: [...seen.values()].flat().sort(order), report: { ...report, units: seen.size } };
}

function rows({ lane, t, r, d, x, c = "", n = [], s = "" }) { // a `tok` event's chunks, defaults filled in
  const [kinds, stamps] = [[...c], [...s]];
  return x.map((text, i) => write([(t += d[i]), lane, r[i], text, kinds[i] ?? "c", n[i] ?? null, stamps[i] ?? "k"]));
}

for (const path of process.argv.filter((word, i) => i > 1 && word !== "--chunks")) try {
  const { events, report } = read(path), chunks = events.flatMap(({ event }) => (event?.r ? rows(event) : []));
  for (const line of process.argv.includes("--chunks") ? chunks : events.map((event) => event.line)) process.stdout.write(`${line}\n`);
  console.error(JSON.stringify({ ...report, events: events.length, chunks: chunks.length }));
} catch (error) {
  console.error(JSON.stringify({ refused: error.message }));
  process.exitCode = 1;
}
