// How values are read from fields and shown.

/**
 * Parses JSON without losing digits: an integer beyond 2^53 becomes a BigInt
 * where the browser hands out the source of numbers.
 */
export function parseJSON(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context.source) : value,
  );
}

/** A value as a reader of JavaScript would write it; bytes as text where they are text. */
export function show(value) {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return showBytes(value);
  if (Array.isArray(value)) return "[" + value.map(show).join(", ") + "]";
  if (typeof value === "object") return "{" + Object.entries(value).map(([name, member]) => `${name}: ${show(member)}`).join(", ") + "}";
  return String(value);
}

/** A reply for reading: members and items of the outer value on lines of their own. */
export function showReply(value) {
  if (Array.isArray(value)) return value.length ? value.map(show).join("\n") : "[]";
  if (value && typeof value === "object" && !(value instanceof Uint8Array)) {
    return Object.entries(value).map(([name, member]) => `${name}: ${show(member)}`).join("\n");
  }
  return show(value);
}

function showBytes(bytes) {
  try {
    return JSON.stringify(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) + ` (${bytes.length} bytes)`;
  } catch {
    const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return `${hex}${bytes.length > 64 ? " …" : ""} (${bytes.length} bytes)`;
  }
}

/** A number of things: "1 key", "2 keys". */
export const times = (number, noun) => `${number} ${noun}${Number(number) === 1 ? "" : "s"}`;

/** How long something took, in three digits or so. */
export function showDuration(ms) {
  if (ms < 10) return ms.toFixed(2) + " ms";
  return ms < 1000 ? ms.toFixed(0) + " ms" : (ms / 1000).toFixed(1) + " s";
}

/**
 * Splits an address into what may be shown and whether it held credentials:
 * user:password@ or options of the query.
 */
export function withoutSecrets(address) {
  let shown = address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
  const [base, query] = shown.split("?", 2);
  if (query !== undefined) {
    const kept = query.split("&").filter((pair) => !/^(api_key|username|password)=/.test(pair));
    shown = kept.length ? base + "?" + kept.join("&") : base;
  }
  return { address: shown, secret: shown !== address };
}
