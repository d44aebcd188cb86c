/** One client of the module: request frames in, replies out. Policy is the module's. */
import { whenAborted } from "./abort.js";
import type { Caller, Encode, Make } from "./caller.js";
import { SynapError, type ErrorDetails } from "./error.js";
import { CanceledError, ClosedError, TooLargeError, errorOf } from "./generated/errors.js";
import { borrow, giveBack, timeoutOf, type Writer } from "./msgpack.js";
import type { Answers, Sent, Transport } from "./platform.js";
import { MOST_INPUT, type Runtime } from "./runtime.js";
import { LazySubscription } from "./subscription.js";
import type { CallOptions, CancelSignal } from "./types.js";

/** A call in flight. */
interface Pending {
  readonly command: string;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
  make: Make<unknown>;
  signal: CancelSignal | null;
  /** Stops listening to the signal. */
  forget: (() => void) | null;
}

export class Channel implements Caller, Answers {
  transport: Transport | null = null;
  /** Whether integers always come as bigints. */
  readonly bigints: boolean;
  /** The address without credentials and options. */
  readonly address: string;
  readonly handle: number;

  readonly #runtime: Runtime;
  readonly #pending = new Map<number, Pending>();
  #lastTag = 0;
  #dead: SynapError | null = null;
  #closing: Promise<void> | null = null;

  constructor(runtime: Runtime, handle: number, address: string, bigints: boolean) {
    this.#runtime = runtime;
    this.handle = handle;
    this.address = address;
    this.bigints = bigints;
  }

  get closed(): boolean {
    return this.#dead !== null;
  }

  // --- calls ----------------------------------------------------------------------

  async call<R>(encode: Encode, make: Make<R>, options: CallOptions | null | undefined): Promise<R> {
    const w = borrow();
    let reply: Promise<R>;
    try {
      encode(w);
      reply = this.#send(w, make, options);
    } finally {
      giveBack(w);
    }
    try {
      return await reply;
    } catch (e) {
      // Made where the reply came in, the error knows nothing of who waits for it.
      if (e instanceof SynapError) (Error as { captureStackTrace?(e: Error, from: unknown): void }).captureStackTrace?.(e, this.call);
      throw e;
    }
  }

  /** Runs the request that stands in a writer. */
  #send<R>(w: Writer, make: Make<R>, options: CallOptions | null | undefined): Promise<R> {
    const { command } = w;
    const timeoutMs = timeoutOf(options, command);
    const signal = options?.signal ?? null;
    if (this.#dead !== null) return Promise.reject(this.#refusal(command));
    if (w.length > MOST_INPUT) return Promise.reject(new TooLargeError("the request is larger than 256 MiB; nothing was sent", { command, transport: this.scheme }));
    if (signal?.aborted === true) return Promise.reject(this.#canceled(command, signal, false));
    return new Promise<R>((resolve, reject) => {
      const tag = this.#tag();
      const call: Pending = { command, resolve: resolve as (reply: unknown) => void, reject, make, signal: null, forget: null };
      this.#pending.set(tag, call);
      this.#runtime.inFlight(1);
      this.#runtime.submit(this.handle, tag, timeoutMs, w.bytes, w.length);
      if (signal !== null && this.#pending.has(tag)) {
        call.signal = signal;
        call.forget = whenAborted(signal, () => this.#abort(tag, call));
      }
    });
  }

  subscription<T>(encode: Encode, make: Make<T>, options: CallOptions | null | undefined): LazySubscription<T> {
    return LazySubscription.prepare(this, encode, make, options);
  }

  #tag(): number {
    do this.#lastTag = (this.#lastTag % 0x7fff_ffff) + 1;
    while (this.#pending.has(this.#lastTag));
    return this.#lastTag;
  }

  /** Takes the end of a call: [tag, reply] or [tag, nil, error]. */
  complete(end: unknown[]): void {
    const tag = Number(end[0]);
    const call = this.#pending.get(tag);
    if (call === undefined) return;
    this.#settled(tag, call);
    if (end.length > 2) {
      const error = errorOf(end[2] as unknown[]);
      call.reject(error.code === "Canceled" && call.signal !== null ? this.#canceled(call.command, call.signal, error.maybeApplied) : error);
      return;
    }
    try {
      call.resolve((call.make as Make<unknown> & ((reply: unknown) => unknown))(end[1]));
    } catch (e) {
      call.reject(e);
    }
  }

  #settled(tag: number, call: Pending): void {
    this.#pending.delete(tag);
    call.forget?.();
    this.#runtime.inFlight(-1);
  }

  #abort(tag: number, call: Pending): void {
    this.#runtime.cancel(this.handle, tag);
    // What the module cannot give up is given up here: its end comes all the
    // same, and make() gets to see it.
    if (this.#pending.get(tag) === call) call.reject(this.#canceled(call.command, call.signal!, true));
  }

  #canceled(command: string, signal: CancelSignal, maybeApplied: boolean): SynapError {
    return new CanceledError("the caller cancelled the call", { command, transport: this.scheme, maybeApplied, cause: signal.reason });
  }

  get scheme(): string {
    return this.address.slice(0, this.address.indexOf(":"));
  }

  #refusal(command: string): SynapError {
    const dead = this.#dead!;
    const Kind = dead.constructor as new (message: string, details: ErrorDetails) => SynapError;
    return new Kind(dead.message, { command, transport: this.scheme, ...("cause" in dead ? { cause: dead.cause } : {}) });
  }

  // --- what the transport says ----------------------------------------------------

  response(request: number, status: number, body: Uint8Array): void {
    this.#runtime.response(this.handle, request, status, body);
  }

  failed(request: number, sent: Sent, why: string): void {
    this.#runtime.failed(this.handle, request, sent, why);
  }

  streamData(stream: number, text: string): void {
    this.#runtime.streamData(this.handle, stream, text);
  }

  streamClosed(stream: number, status: number, body: string): void {
    this.#runtime.streamClosed(this.handle, stream, status, body);
  }

  socketOpened(socket: number): void {
    this.#runtime.socketOpened(this.handle, socket);
  }

  socketData(socket: number, data: Uint8Array): void {
    this.#runtime.socketData(this.handle, socket, data);
  }

  socketClosed(socket: number, why: string): void {
    this.#runtime.socketClosed(this.handle, socket, why);
  }

  // --- the end --------------------------------------------------------------------

  /** Closes the client; calls in flight fail with ClosedError. */
  close(): Promise<void> {
    if (this.#closing === null) {
      if (this.#dead === null) {
        this.#dead = new ClosedError("the client is closed", { transport: this.scheme });
        this.#runtime.close(this.handle);
      }
      this.#closing = this.#drop();
    }
    return this.#closing;
  }

  /** Ends the client because the instance is gone. */
  die(error: SynapError): void {
    this.#dead ??= error;
    this.#closing ??= this.#drop();
  }

  #drop(): Promise<void> {
    for (const [tag, call] of [...this.#pending]) {
      this.#settled(tag, call);
      call.reject(this.#refusal(call.command));
    }
    return this.transport?.close() ?? Promise.resolve();
  }

  toJSON(): string {
    return this.address;
  }
}
