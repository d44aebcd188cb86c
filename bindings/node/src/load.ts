/** From whatever init was given to a compiled module, with an error that says what to do. */
import { SynapError } from "./error.js";
import { ConnectionError, InvalidArgumentError, PanicError, ResourceExhaustedError, UnsupportedError } from "./generated/errors.js";
import { reason } from "./platform.js";

/** The version of the contract that this package speaks (wasm/README.md). */
export const ABI = 1;

const EXPORTS = [
  "_initialize", "memory", "synap_abi", "synap_alloc", "synap_cancel", "synap_close", "synap_http_failed", "synap_http_response",
  "synap_open", "synap_result", "synap_settings", "synap_socket_closed", "synap_socket_data", "synap_socket_opened", "synap_stream_closed", "synap_stream_data", "synap_submit", "synap_tick",
];

interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

function isResponse(v: object): v is ResponseLike {
  return typeof (v as ResponseLike).arrayBuffer === "function" && typeof (v as ResponseLike).status === "number";
}

/** Refuses environments without WebAssembly. */
export function needWebAssembly(): void {
  if (typeof (globalThis as { WebAssembly?: unknown }).WebAssembly !== "object") {
    throw new UnsupportedError("this environment has no WebAssembly, which libsynap is made of");
  }
}

/**
 * Compiles a module from a Response, bytes or a compiled module. `fetched` turns
 * texts and URLs into one of these.
 */
export async function compile(source: unknown, fetched: (url: string) => Promise<unknown>): Promise<WebAssembly.Module> {
  needWebAssembly();
  let from = await source;
  if (typeof from === "string") from = await fetched(from);
  else if (from instanceof URL) from = await fetched(from.href);
  if (typeof from !== "object" || from === null) throw new InvalidArgumentError(`wasm cannot be a ${typeof from}`);
  if (from instanceof WebAssembly.Module) return checked(from);
  if (isResponse(from)) {
    if (!from.ok) {
      throw new ConnectionError(`synap.wasm cannot be loaded: the answer is HTTP ${from.status}. Serve it beside the package's files, or say where it is with init({ wasm })`, { retryable: from.status >= 500 });
    }
    try {
      from = await from.arrayBuffer();
    } catch (e) {
      throw new ConnectionError(`synap.wasm cannot be loaded: ${reason(e)}`, { retryable: true, cause: e });
    }
  }
  if (!(from instanceof ArrayBuffer) && !ArrayBuffer.isView(from)) {
    throw new InvalidArgumentError("wasm must be a URL, a path, a Response, a WebAssembly.Module or its bytes");
  }
  return checked(await compiled(from as BufferSource));
}

/** Asks for a module. */
export async function fetchModule(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch (e) {
    throw new ConnectionError(`synap.wasm cannot be loaded from ${url}: ${reason(e)}`, { retryable: true, cause: e });
  }
}

async function compiled(bytes: BufferSource): Promise<WebAssembly.Module> {
  const head = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.length < 8 || head[0] !== 0 || head[1] !== 0x61 || head[2] !== 0x73 || head[3] !== 0x6d) {
    throw new InvalidArgumentError("what was loaded as synap.wasm is not WebAssembly" + (head[0] === 0x3c ? "; it looks like a web page: is the file really served there?" : ""));
  }
  try {
    return await WebAssembly.compile(bytes);
  } catch (e) {
    const why = reason(e);
    if (/unsafe-eval|security policy|blocked by csp|disallowed by embedder/i.test(why)) {
      throw new UnsupportedError("the page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src", { cause: e });
    }
    throw new InvalidArgumentError(`what was loaded as synap.wasm cannot be compiled: ${why}`, { cause: e });
  }
}

/** Refuses a module that is not synap.wasm. */
function checked(module: WebAssembly.Module): WebAssembly.Module {
  const names = new Set(WebAssembly.Module.exports(module).map((e) => e.name));
  const missing = EXPORTS.find((name) => !names.has(name));
  if (missing !== undefined) throw new InvalidArgumentError(`the module is not a synap.wasm for this package: it does not export ${missing}`);
  return module;
}

/** Refuses an instance whose contract is another. */
export function checkAbi(version: number): void {
  if (version !== ABI) {
    throw new UnsupportedError(`synap.wasm speaks version ${version} of the contract with its host, this package version ${ABI}: ${OWN_FILE}`);
  }
}

const OWN_FILE = "use the file that came with the package";

/** Says why a module could not be started. */
export function startFailure(e: unknown): unknown {
  if (e instanceof SynapError) return e;
  if (e instanceof WebAssembly.LinkError) return new UnsupportedError(`synap.wasm does not fit this package (${reason(e)}): ${OWN_FILE}`, { cause: e });
  if (e instanceof RangeError) return new ResourceExhaustedError(`there is no memory for synap.wasm: ${reason(e)}`, { retryable: true, cause: e });
  return new PanicError(`synap.wasm failed to start: ${reason(e)}`, { cause: e });
}
