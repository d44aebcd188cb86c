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
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length ? "[" + value.map(show).join(", ") + "]" : "[]";
  if (value instanceof Map) return show(Object.fromEntries(value));
  if (typeof value === "object") return "{" + Object.entries(value).map(([name, member]) => `${name}: ${show(member)}`).join(", ") + "}";
  return String(value);
}

function showBytes(bytes) {
  try {
    return JSON.stringify(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) + ` (${bytes.length} bytes)`;
  } catch {
    const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return `${hex}${bytes.length > 64 ? " …" : ""} (${bytes.length} bytes)`;
  }
}

/** Milliseconds in a width that does not jump. */
export const showDuration = (ms) => (ms < 10 ? ms.toFixed(2) : ms < 1000 ? ms.toFixed(0) : (ms / 1000).toFixed(1) + " k").replace(/ k$/, "") + (ms < 1000 ? " ms" : " s");

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
