/** One running instance of synap.wasm, shared by all clients: wasm/README.md is its contract. */
import type { Channel } from "./channel.js";
import type { SynapError } from "./error.js";
import { PanicError } from "./generated/errors.js";
import { checkAbi, startFailure } from "./load.js";
import { copyOf, decode, viewOf } from "./msgpack.js";
import { Sent, reason, type Dial, type HostRequest, type Platform, type Settings, type Timer } from "./platform.js";
import type { LogFunction, LogLevel } from "./types.js";
import { wasi } from "./wasi.js";

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  synap_abi(): number;
  synap_alloc(n: number): number;
  synap_result(): number;
  synap_open(now: number, p: number, n: number): number;
  synap_settings(client: number): number;
  synap_close(now: number, client: number): void;
  synap_submit(now: number, client: number, tag: number, timeoutMs: number, p: number, n: number): void;
  synap_cancel(now: number, client: number, tag: number): void;
  synap_http_response(now: number, client: number, request: number, status: number, p: number, n: number): void;
  synap_http_failed(now: number, client: number, request: number, sent: number, p: number, n: number): void;
  synap_stream_data(now: number, client: number, stream: number, p: number, n: number): void;
  synap_stream_closed(now: number, client: number, stream: number, status: number, p: number, n: number): void;
  synap_socket_opened(now: number, client: number, socket: number): void;
  synap_socket_data(now: number, client: number, socket: number, p: number, n: number): void;
  synap_socket_closed(now: number, client: number, socket: number, p: number, n: number): void;
  synap_tick(now: number): void;
}

/** The largest input that the module takes. */
export const MOST_INPUT = 1 << 28;
const LONGEST_TIMER = 0x7fff_ffff;
const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array();

/** What an import asked for. */
type Action =
  | { readonly does: "request" | "stream"; readonly client: number; readonly id: number; readonly request: HostRequest }
  | { readonly does: "dial"; readonly client: number; readonly id: number; readonly dial: Dial }
  | { readonly does: "write"; readonly client: number; readonly id: number; readonly bytes: Uint8Array }
  | { readonly does: "abort" | "close" | "hangUp"; readonly client: number; readonly id: number }
  | { readonly does: "log"; readonly level: LogLevel; readonly text: string };

export class Runtime {
  /** Why the instance can no longer be used. */
  dead: SynapError | null = null;
  log: LogFunction | null = null;

  private readonly platform: Platform;
  private readonly exports: Exports;
  private readonly channels = new Map<number, Channel>();
  private view: Uint8Array;
  /** What imports asked for; done when the export that asked has returned. */
  private actions: Action[] = [];
  private acting = false;
  private pending = 0;
  private timer: Timer | null = null;
  private timerAt = Infinity;
  private wakeAt = Infinity;

  private constructor(platform: Platform, exports: Exports) {
    this.platform = platform;
    this.exports = exports;
    this.view = viewOf(exports.memory.buffer);
  }

  static async start(module: WebAssembly.Module, platform: Platform): Promise<Runtime> {
    let runtime!: Runtime;
    let memory!: WebAssembly.Memory;
    const imports = {
      wasi_snapshot_preview1: wasi(module, () => memory, platform.random),
      synap_host: {
        completed: (client: number, p: number, n: number) => runtime.completed(client, p >>> 0, n),
        wake_at(ms: number) {
          if (ms < runtime.wakeAt) runtime.wakeAt = ms;
        },
        http_request(client: number, id: number, p: number, n: number) {
          runtime.actions.push({ does: "request", client, id, request: runtime.request(p >>> 0, n) });
        },
        http_abort(client: number, id: number) {
          runtime.actions.push({ does: "abort", client, id });
        },
        stream_open(client: number, id: number, p: number, n: number) {
          runtime.actions.push({ does: "stream", client, id, request: runtime.request(p >>> 0, n) });
        },
        stream_close(client: number, id: number) {
          runtime.actions.push({ does: "close", client, id });
        },
        socket_open(client: number, id: number, p: number, n: number) {
          const [host, port, tls] = decode(runtime.memory(), p >>> 0, (p >>> 0) + n) as [string, number, boolean];
          runtime.actions.push({ does: "dial", client, id, dial: { host, port, tls } });
        },
        socket_write(client: number, id: number, p: number, n: number) {
          runtime.actions.push({ does: "write", client, id, bytes: copyOf(runtime.memory().subarray(p >>> 0, (p >>> 0) + n)) });
        },
        socket_close(client: number, id: number) {
          runtime.actions.push({ does: "hangUp", client, id });
        },
        log(level: number, p: number, n: number) {
          const text = new TextDecoder().decode(runtime.memory().subarray(p >>> 0, (p >>> 0) + n));
          runtime.actions.push({ does: "log", level: level >= 2 ? "warn" : "info", text });
        },
      },
    };
    try {
      const { exports } = await WebAssembly.instantiate(module, imports);
      ({ memory } = exports as unknown as Exports);
      runtime = new Runtime(platform, exports as unknown as Exports);
      runtime.exports._initialize();
      checkAbi(runtime.exports.synap_abi());
      return runtime;
    } catch (e) {
      throw startFailure(e);
    }
  }

  /** The size of the instance's memory in bytes. */
  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  // --- calls into the module ----------------------------------------------------

  /** Opens a client for [address, options, environment, sockets] and returns its handle. */
  open(request: Uint8Array, adopt: (handle: number) => Channel, fail: (error: unknown) => SynapError): Channel {
    let handle = 0;
    let error: unknown;
    this.enter(() => {
      handle = this.exports.synap_open(this.platform.now(), this.put(request), request.length);
      if (handle < 0) {
        error = this.result(-handle);
      }
    });
    if (this.dead !== null) throw this.dead;
    if (handle <= 0) throw fail(error);
    const channel = adopt(handle);
    this.channels.set(handle, channel);
    return channel;
  }

  /** Returns the options of a client that concern its connections. */
  settings(handle: number): Settings {
    let settings: unknown;
    this.enter(() => {
      settings = this.result(this.exports.synap_settings(handle));
    });
    if (this.dead !== null) throw this.dead;
    return settings as Settings;
  }

  private result(length: number): unknown {
    const at = this.exports.synap_result() >>> 0;
    return decode(this.memory(), at, at + length);
  }

  close(handle: number): void {
    this.enter(() => this.exports.synap_close(this.platform.now(), handle));
    this.act(); // the client's last words
    this.channels.delete(handle);
  }

  submit(handle: number, tag: number, timeoutMs: number, bytes: Uint8Array, length: number): void {
    try {
      const p = this.put(bytes, length);
      this.exports.synap_submit(this.platform.now(), handle, tag, timeoutMs, p, length);
    } catch (e) {
      this.crash(e);
    }
    this.settle();
  }

  cancel(handle: number, tag: number): void {
    this.enter(() => this.exports.synap_cancel(this.platform.now(), handle, tag));
  }

  response(handle: number, request: number, status: number, body: Uint8Array): void {
    if (this.dead !== null) return;
    if (body.length > MOST_INPUT) {
      this.failed(handle, request, Sent.TooLarge, "");
      return;
    }
    try {
      const p = this.put(body);
      this.exports.synap_http_response(this.platform.now(), handle, request, status, p, body.length);
    } catch (e) {
      this.crash(e);
    }
    this.settle();
  }

  failed(handle: number, request: number, sent: Sent, why: string): void {
    const text = encoder.encode(why);
    this.enter(() => this.exports.synap_http_failed(this.platform.now(), handle, request, sent, this.put(text), text.length));
  }

  streamData(handle: number, stream: number, data: string): void {
    const text = encoder.encode(data);
    this.enter(() => this.exports.synap_stream_data(this.platform.now(), handle, stream, this.put(text), text.length));
  }

  streamClosed(handle: number, stream: number, status: number, body: string): void {
    const text = encoder.encode(body);
    this.enter(() => this.exports.synap_stream_closed(this.platform.now(), handle, stream, status, this.put(text), text.length));
  }

  socketOpened(handle: number, socket: number): void {
    this.enter(() => this.exports.synap_socket_opened(this.platform.now(), handle, socket));
  }

  socketData(handle: number, socket: number, data: Uint8Array): void {
    if (this.dead !== null) return;
    try {
      const p = this.put(data);
      this.exports.synap_socket_data(this.platform.now(), handle, socket, p, data.length);
    } catch (e) {
      this.crash(e);
    }
    this.settle();
  }

  socketClosed(handle: number, socket: number, why: string): void {
    const text = encoder.encode(why);
    this.enter(() => this.exports.synap_socket_closed(this.platform.now(), handle, socket, this.put(text), text.length));
  }

  private tick(): void {
    this.timerAt = Infinity;
    this.wakeAt = Infinity;
    this.enter(() => this.exports.synap_tick(this.platform.now()));
  }

  private enter(run: () => void): void {
    if (this.dead !== null) return;
    try {
      run();
    } catch (e) {
      this.crash(e);
    }
    this.settle();
  }

  /** Sees to what the module asked for while an export ran. */
  private settle(): void {
    if (this.actions.length > 0 && !this.acting) {
      // Later, so that calls made together run the module, and then the network,
      // at a stretch, which is faster.
      this.acting = true;
      queueMicrotask(this.act);
    }
    if (this.wakeAt < this.timerAt) this.arm();
  }

  private readonly act = (): void => {
    const { actions } = this;
    this.actions = [];
    this.acting = false;
    for (const action of actions) this.perform(action);
  };

  private arm(): void {
    if (this.dead !== null) return;
    this.timer?.stop();
    this.timerAt = this.wakeAt;
    const ms = Math.min(Math.max(Math.ceil(this.wakeAt - this.platform.now()), 0), LONGEST_TIMER);
    this.timer = this.platform.timer(ms, () => this.tick());
    this.timer.keepAlive(this.pending > 0);
  }

  /** Counts calls in flight: only they keep a process alive. */
  inFlight(more: 1 | -1): void {
    this.pending += more;
    if (this.pending === 0) this.timer?.keepAlive(false);
    else if (this.pending === 1 && more === 1) this.timer?.keepAlive(true);
  }

  // --- memory -------------------------------------------------------------------

  private memory(): Uint8Array {
    // A memory that grew has a new buffer; views of the old one are empty.
    if (this.view.length === 0) this.view = viewOf(this.exports.memory.buffer);
    return this.view;
  }

  /** Copies an input into the module and returns its address. */
  private put(bytes: Uint8Array, length = bytes.length): number {
    if (length === 0) return 0;
    const p = this.exports.synap_alloc(length);
    const at = p >>> 0;
    this.memory().set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
    return p;
  }

  // --- imports ------------------------------------------------------------------

  private completed(client: number, p: number, n: number): void {
    const channel = this.channels.get(client);
    if (channel === undefined) return;
    for (const end of decode(this.memory(), p, p + n, channel.bigints) as unknown[][]) channel.complete(end);
  }

  private request(p: number, n: number): HostRequest {
    const [method, url, authorization, body, timeoutMs, lane] = decode(this.memory(), p, p + n, false, true) as [string, string, string, Uint8Array | null, number, number];
    return { method, url, authorization, body: body === null ? NO_BYTES : copyOf(body), timeoutMs, lane };
  }

  private perform(action: Action): void {
    if (action.does === "log") {
      try {
        this.log?.(action.level, action.text);
      } catch (e) {
        queueMicrotask(() => {
          throw e; // the log function's own affair
        });
      }
      return;
    }
    const { client, id } = action;
    const transport = this.channels.get(client)?.transport;
    if (transport === undefined || transport === null) return;
    switch (action.does) {
      case "request":
        try {
          transport.request(id, action.request);
        } catch (e) {
          this.failed(client, id, Sent.No, reason(e));
        }
        return;
      case "stream":
        try {
          transport.openStream(id, action.request);
        } catch {
          this.streamClosed(client, id, 0, "");
        }
        return;
      case "dial":
        try {
          transport.openSocket(id, action.dial);
        } catch (e) {
          this.socketClosed(client, id, reason(e));
        }
        return;
      case "write":
        return transport.writeSocket(id, action.bytes);
      case "hangUp":
        return transport.closeSocket(id);
      case "abort":
        return transport.abort(id);
      case "close":
        return transport.closeStream(id);
    }
  }

  // --- the end ------------------------------------------------------------------

  private crash(e: unknown): void {
    if (this.dead !== null) return;
    this.end(new PanicError(`the WASM module failed: ${reason(e)}. Its clients are unusable; open new ones and report this`, { cause: e }));
  }

  /** Gives the instance up: calls in flight fail with the error. */
  end(error: SynapError): void {
    this.dead = error;
    this.timer?.stop();
    this.timer = null;
    this.actions = [];
    for (const channel of this.channels.values()) channel.die(error);
    this.channels.clear();
  }
}
