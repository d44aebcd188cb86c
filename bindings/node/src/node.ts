/** synap-sdk for Node. */
import { randomFillSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Channel } from "./channel.js";
import { Client } from "./client.js";
import { InvalidArgumentError } from "./generated/errors.js";
import { Host } from "./host.js";
import { NodeTransport } from "./io-node.js";
import { compile, fetchModule } from "./load.js";
import { reason, type Platform } from "./platform.js";
import type { InitOptions, LogFunction } from "./types.js";
import type { ClientOptions } from "./options.js";

export * from "./api.js";

const platform: Platform = {
  sockets: true,
  load: (source) => compile(source ?? join(__dirname, "..", "synap.wasm"), read),
  transport: (settings, answers) => new NodeTransport(settings, answers),
  environment() {
    const out: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) {
      if (name.startsWith("SYNAP_") && value !== undefined) out[name] = value;
    }
    return out;
  },
  random(to) {
    randomFillSync(to);
  },
  now: () => Date.now(),
  timer(ms, run) {
    const timer = setTimeout(run, ms);
    return {
      stop: () => clearTimeout(timer),
      keepAlive(on) {
        if (on) timer.ref();
        else timer.unref();
      },
    };
  },
};

async function read(from: string): Promise<unknown> {
  if (/^https?:/.test(from)) return fetchModule(from);
  try {
    return await readFile(from.startsWith("file:") ? fileURLToPath(from) : from);
  } catch (e) {
    throw new InvalidArgumentError(`synap.wasm cannot be read: ${reason(e)}`, { cause: e });
  }
}

const host = /* @__PURE__ */ new Host(platform);

/**
 * A client of a Synap server, in Node.
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
   * @param address Where the server is: `http://host:15500`, `https://…`,
   *   `synap://host:15501` (SynapRPC), `resp3://host:6379`, `synaps://…` and
   *   `resp3s://…` for TLS, or `memory://[name]` for an embedded engine (clients of one name share its
   *   store). `user:password@` and any option as `?name=value` may stand in it.
   *   Absent: SYNAP_URL of the environment.
   * @throws {InvalidArgumentError} The address or an option is wrong.
   */
  static async connect(address = "", options: ClientOptions = {}): Promise<SynapClient> {
    return new SynapClient(await host.open(address, options));
  }
}

/**
 * Loads synap.wasm before the first client needs it, from elsewhere if told so: a
 * URL or path, a Response, a WebAssembly.Module or its bytes, or a promise of one.
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
