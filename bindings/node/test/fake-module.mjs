// A WebAssembly module with the exports of synap.wasm that do as told.

const EXPORTS = [
  "_initialize", "synap_abi", "synap_alloc", "synap_cancel", "synap_close", "synap_http_failed", "synap_http_response",
  "synap_open", "synap_result", "synap_settings", "synap_socket_closed", "synap_socket_data", "synap_socket_opened", "synap_stream_closed", "synap_stream_data", "synap_submit", "synap_tick",
];

/**
 * Builds a module whose functions return 0, the number given for them, or trap. It
 * may want an import that no host has.
 */
export function fakeModule(does, imported) {
  const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
  const signed = (n) => (n < 64 ? [n] : [(n & 127) | 128, ...signed(n >>> 7)]);
  const list = (items) => [...leb(items.length), ...items.flat()];
  const section = (id, content) => [id, ...leb(content.length), ...content];
  const text = (s) => list([...s].map((c) => [c.charCodeAt(0)]));
  const sized = (content) => [...leb(content.length), ...content];
  const bodies = EXPORTS.map((name) => sized([0, ...(does[name] === "trap" ? [0x00] : [0x41, ...signed(does[name] ?? 0)]), 0x0b]));
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list([[0x60, 0, 1, 0x7f]])),
    ...(imported === undefined ? [] : section(2, list([[...text("synap_host"), ...text(imported), 2, 0, 1]]))),
    ...section(3, list(EXPORTS.map(() => [0]))),
    ...(imported === undefined ? section(5, list([[0, 2]])) : []),
    ...section(7, list([[...text("memory"), 2, 0], ...EXPORTS.map((name, i) => [...text(name), 0, ...leb(i)])])),
    ...section(10, list(bodies)),
  ]);
}
