/** synap-sdk for browsers, and for what is like them. */
import type { Channel } from "./channel.js";
import { Client } from "./client.js";
import { Host } from "./host.js";
import { BrowserTransport, type FetchResponse, type Net } from "./io-browser.js";
import { compile, fetchModule } from "./load.js";
import type { Platform } from "./platform.js";
import type { InitOptions, LogFunction } from "./types.js";
import type { ClientOptions } from "./options.js";

export * from "./api.js";

const platform: Platform = {
  sockets: false,
  load: (source) => compile(source ?? new URL("../synap.wasm", import.meta.url), fetchModule),
  transport: (settings, answers) => new BrowserTransport({ fetch: (url, init) => fetch(url, init) as Promise<FetchResponse>, WebSocket: WebSocket as unknown as Net["WebSocket"] }, settings, answers),
  environment: () => ({}),
  random(to) {
    for (let i = 0; i < to.length; i += 65536) crypto.getRandomValues(to.subarray(i, i + 65536) as Uint8Array<ArrayBuffer>);
  },
  now: () => Date.now(),
  timer(ms, run) {
    const timer = setTimeout(run, ms);
    return { stop: () => clearTimeout(timer), keepAlive: () => undefined };
  },
};

const host = /* @__PURE__ */ new Host(platform);

/**
 * A client of a Synap server, in a browser.
 *
 *     const client = await SynapClient.connect("http://localhost:15500");
 *     await client.kv.set("user:1", "John Doe", { ttl: 3600 });
 */
export class SynapClient extends Client {
  private constructor(channel: Channel) {
    super(channel);
  }

  /**
   * Opens a client. No connection is made before the first call.
   *
   * @param address Where the server is: `http://host:15500`, `https://…`, or
   *   `memory://[name]` for an embedded engine (clients of one name share its
   *   store). `user:password@` and any option as `?name=value` may stand in it.
   * @throws {InvalidArgumentError} The address or an option is wrong.
   */
  static async connect(address = "", options: ClientOptions = {}): Promise<SynapClient> {
    return new SynapClient(await host.open(address, options));
  }
}

/**
 * Loads synap.wasm before the first client needs it, from elsewhere if told so: a
 * URL, a Response, a WebAssembly.Module or its bytes, or a promise of one.
 */
export function init(options?: InitOptions): Promise<void> {
  return host.init(options);
}

/** Closes all clients and gives the module's memory back. A later client loads it anew; stores of memory:// are gone. */
export function dispose(): Promise<void> {
  return host.dispose();
}

/** Hands messages about connections to a function; null for none. They hold no secrets. */
export function setLog(log: LogFunction | null): void {
  host.setLog(log);
}

/** The size of the module's memory in bytes, 0 while it is not loaded. */
export function memoryBytes(): number {
  return host.memoryBytes;
}
