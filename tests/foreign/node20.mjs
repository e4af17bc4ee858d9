// What node 20 lacks and other languages have a library for: zstd, JSON with 64-bit integers, and as much of JSON
// Schema as schemas/events.v1.schema.json uses.
import { spawnSync } from "node:child_process";

const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function parse(line) { // integers become BigInt, since a double holds 53 of their 64 bits; text is well-formed
  JSON.parse(line);
  const marked = line.replace(TOKEN, (word, text, colon) => {
    if (text) return colon ? word : `"s${text}`;
    return /[.eE]/.test(word) ? word : `"i${word}"`;
  });
  return JSON.parse(marked, (key, value) => {
    if (!key.isWellFormed()) throw new Error("half a surrogate pair");
    if (typeof value !== "string") return value;
    if (!value.isWellFormed()) throw new Error("half a surrogate pair");
    return value[0] === "i" ? BigInt(value.slice(1)) : value.slice(1);
  });
}

export function write(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(write)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${write(item)}`)}}`;
}

export function fits(value, rule) {
  if (rule.anyOf) return rule.anyOf.some((one) => fits(value, one));
  if (rule.enum) return rule.enum.includes(value);
  if (rule.type === undefined) return true;
  if (rule.type === "null") return value === null;
  if (rule.type === "integer") return typeof value === "bigint";
  if (rule.type === "number") return typeof value === "bigint" || typeof value === "number";
  if (rule.type === "array") return Array.isArray(value) && value.every((item) => fits(item, rule.items ?? {}));
  if (rule.type !== "object") return typeof value === rule.type;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const { required = [], properties = {}, additionalProperties = {} } = rule;
  return required.every((name) => Object.hasOwn(value, name))
    && Object.entries(value).every(([name, item]) => fits(item, Object.hasOwn(properties, name) ? properties[name] : additionalProperties));
}

export function saysItsSize({ frame, size }) { // whether the frame's header gives this size: RFC 8878, 3.1.1.1
  if (frame.length < 6 || frame.readUInt32LE(0) !== 0xfd2fb528) return false;
  const single = (frame[4] >> 5) & 1, bytes = [single, 2, 4, 8][frame[4] >> 6];
  const at = 6 - single + [0, 1, 2, 4][frame[4] & 3];
  if (at + bytes > frame.length) return false;
  if (bytes === 8) return frame.readBigUInt64LE(at) === BigInt(size);
  return bytes > 0 && frame.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0) === size;
}

export function decompress(units) { // gives each unit its content: one zstd for all; if that fails, one for each half
  if (!units.length) return;
  const size = units.reduce((sum, unit) => sum + unit.size, 0);
  const input = Buffer.concat(units.map((unit) => unit.frame));
  const { error, status, stdout } = spawnSync("zstd", ["-dcq"], { input, maxBuffer: size + 1 });
  if (error?.code === "ENOENT") throw error;
  if (status === 0 && stdout.length === size) {
    units.reduce((at, unit) => at + (unit.content = stdout.subarray(at, at + unit.size)).length, 0);
  } else if (units.length > 1) {
    const middle = units.length >> 1;
    decompress(units.slice(0, middle));
    decompress(units.slice(middle));
  }
}
