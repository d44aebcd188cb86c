/** The instance of synap.wasm that the clients of a process share. */
import { Channel } from "./channel.js";
import type { SynapError } from "./error.js";
import { ClosedError, InvalidArgumentError, errorOf } from "./generated/errors.js";
import { written } from "./msgpack.js";
import type { Platform } from "./platform.js";
import { Runtime } from "./runtime.js";
import { moduleOptions, type ClientOptions } from "./options.js";
import type { InitOptions, LogFunction, WasmSource } from "./types.js";

export class Host {
  readonly #platform: Platform;
  #source: WasmSource | undefined;
  #module: Promise<WebAssembly.Module> | null = null;
  #runtime: Promise<Runtime> | null = null;
  #running: Runtime | null = null;
  #log: LogFunction | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async init(options: InitOptions = {}): Promise<void> {
    if (options.wasm !== undefined && options.wasm !== null) {
      if (this.#runtime !== null) throw new InvalidArgumentError("init: synap.wasm is loaded already; say where it is before the first client is opened");
      this.#source = options.wasm;
      this.#module = null;
    }
    await this.#start();
  }

  setLog(log: LogFunction | null): void {
    this.#log = log;
    if (this.#running !== null) this.#running.log = log;
  }

  /** The memory of the instance in bytes, 0 if there is none. */
  get memoryBytes(): number {
    return this.#running?.memoryBytes ?? 0;
  }

  async open(address: string, options: ClientOptions): Promise<Channel> {
    if (typeof address !== "string") throw new InvalidArgumentError(`the address must be text (a string), not ${typeof address}`);
    const environment = this.#platform.environment();
    const given = moduleOptions(options);
    const request = written((w) => {
      w.array(4);
      w.text(address, "the address");
      w.json(given, "the options");
      w.json(environment, "the environment");
      w.json(this.#platform.sockets, "sockets");
    });
    const runtime = await this.#start();
    const spelled = address === "" ? (environment["SYNAP_URL"] ?? "") : address;
    const make = (handle: number): Channel => new Channel(runtime, handle, publicAddress(spelled), options.bigint === true);
    const channel = runtime.open(request, make, (error): SynapError => errorOf(error as unknown[]));
    if (channel.scheme !== "memory") {
      try {
        channel.transport = this.#platform.transport(runtime.settings(channel.handle), channel);
      } catch (e) {
        await channel.close();
        throw e;
      }
    }
    return channel;
  }

  /** Closes all clients and gives the instance's memory back. */
  async dispose(): Promise<void> {
    const starting = this.#runtime;
    this.#runtime = null;
    this.#running = null;
    const runtime = await starting?.catch(() => null);
    runtime?.end(new ClosedError("the instance of synap.wasm was disposed of"));
  }

  #start(): Promise<Runtime> {
    // A trap leaves an instance that nobody can use; the next client gets a new one.
    if (this.#running?.dead) this.#runtime = null;
    if (this.#runtime === null) {
      const starting = this.#load();
      this.#runtime = starting;
      starting.then(
        (runtime) => {
          if (this.#runtime !== starting) return;
          runtime.log = this.#log;
          this.#running = runtime;
        },
        () => {
          if (this.#runtime === starting) this.#runtime = null;
        },
      );
    }
    return this.#runtime;
  }

  async #load(): Promise<Runtime> {
    this.#module ??= this.#platform.load(this.#source);
    const loading = this.#module;
    try {
      return await Runtime.start(await loading, this.#platform);
    } catch (e) {
      if (this.#module === loading) this.#module = null;
      throw e;
    }
  }
}

/** Returns scheme and host of an address: credentials stand in the rest. */
function publicAddress(address: string): string {
  const at = address.indexOf("://");
  const rest = address.slice(at + 3).split("?")[0]!.split("/")[0]!;
  return `${address.slice(0, at).toLowerCase()}://${rest.slice(rest.lastIndexOf("@") + 1)}`;
}
