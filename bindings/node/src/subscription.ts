/** Subscriptions: async iterators over what the server pushes. */
import { whenAborted } from "./abort.js";
import type { Caller, Encode, Make } from "./caller.js";
import { asyncDispose } from "./dispose.js";
import { SynapError } from "./error.js";
import { CanceledError, ClosedError, InvalidArgumentError, TimeoutError } from "./generated/errors.js";
import { written, type Writer } from "./msgpack.js";
import type { CallOptions, CancelSignal, Integer } from "./types.js";

/** Items fetched by one crossing of the boundary, and how long one fetch waits before it is made again. */
const BATCH = 256;
const PATIENCE_MS = 60_000;

/** What one wait for an item takes. */
export interface NextOptions {
  /** How long to wait for an item, in milliseconds. Absent: until one comes. */
  timeoutMs?: number | undefined;
  /** Gives the wait up; the subscription lives on and no item is lost. */
  signal?: CancelSignal | undefined;
}

/** What the two faces of one subscription share. */
class Feed<T> {
  readonly command: string;
  private readonly caller: Caller;
  private readonly frame: Uint8Array | null;
  private readonly make: Make<T>;
  private readonly options: CallOptions | null | undefined;
  private id: Integer = 0; // 0: not registered
  private starting: Promise<void> | null = null;
  /** Gives up registering. */
  private readonly quit = new AbortController();
  private reading = false;
  private ready: T[] = [];
  private taken = 0;
  private closing: Promise<void> | null = null;
  private error: unknown = null;
  private unlisten: (() => void) | null = null;

  constructor(caller: Caller, encode: Encode, make: Make<T>, options: CallOptions | null | undefined) {
    this.caller = caller;
    this.make = make;
    this.options = options;
    let frame: Uint8Array | null = null;
    let command = "";
    try {
      // Written now, so that later changes of the arguments have no effect.
      frame = written((w) => {
        encode(w);
        command = w.command;
      });
    } catch (e) {
      this.error = e;
    }
    this.frame = frame;
    this.command = command;
    const signal = options?.signal;
    if (signal !== undefined && signal !== null && this.error === null) this.listen(signal);
  }

  private listen(signal: CancelSignal): void {
    const onAbort = (): void => {
      this.error ??= new CanceledError("the caller cancelled the subscription", { command: this.command, cause: signal.reason });
      void this.close();
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    this.unlisten = whenAborted(signal, onAbort);
  }

  get state(): "closed" | "open" | "not started" {
    return this.closing !== null ? "closed" : this.id !== 0 ? "open" : "not started";
  }

  private check(): void {
    if (this.error !== null) throw this.error;
    if (this.closing !== null) throw new ClosedError("the subscription is closed", { command: this.command });
  }

  start(): Promise<void> {
    this.starting ??= this.register().catch((e: unknown) => {
      this.unlisten?.();
      if (this.closing === null) this.error ??= e;
      throw e;
    });
    return this.starting;
  }

  private async register(): Promise<void> {
    this.check();
    const adopt = (id: Integer): void => {
      this.id = id;
      // Nobody may want it any more; the module cannot be called from here.
      if (this.closing !== null) queueMicrotask(() => void this.end());
    };
    const { signal } = this.quit;
    try {
      await this.caller.call(this.raw(this.frame!), adopt as Make<void>, { timeoutMs: this.options?.timeoutMs, signal });
    } catch (e) {
      this.check();
      throw e;
    }
    this.check();
  }

  private raw(frame: Uint8Array): Encode {
    return (w) => {
      w.command = this.command;
      w.raw(frame);
    };
  }

  /** Takes an item that is there already. */
  take(): T | undefined {
    if (this.taken === this.ready.length) return undefined;
    const item = this.ready[this.taken]!;
    this.taken++;
    if (this.taken === this.ready.length) {
      this.ready = [];
      this.taken = 0;
    }
    return item;
  }

  /** Waits until an item is there, or the time is up. */
  async wait(options: NextOptions): Promise<void> {
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined && timeoutMs !== null && !(typeof timeoutMs === "number" && timeoutMs >= 0)) {
      throw new InvalidArgumentError("timeoutMs must be a number of milliseconds, 0 or more", { command: this.command });
    }
    if (this.reading) throw new InvalidArgumentError("another read waits on this subscription", { command: this.command });
    this.reading = true;
    try {
      this.check();
      await this.start();
      const end = timeoutMs === undefined || timeoutMs === null ? Infinity : Date.now() + timeoutMs;
      while (this.ready.length === 0) {
        this.check();
        const left = Math.min(Math.max(end - Date.now(), 1), PATIENCE_MS);
        this.ready = await this.fetch(left, signal);
        if (this.ready.length === 0 && Date.now() >= end) {
          throw new TimeoutError("nothing came in time", { command: this.command, retryable: true });
        }
      }
    } catch (e) {
      throw this.error ?? e;
    } finally {
      this.reading = false;
    }
  }

  private fetch(timeoutMs: number, signal: CancelSignal | undefined): Promise<T[]> {
    return this.caller.call(
      (w) => request(w, this.command, 4, this.id, BATCH),
      ((items: never[]) => items.map((item) => this.make(item))) as Make<T[]>,
      { timeoutMs, signal },
    );
  }

  close(): Promise<void> {
    if (this.closing === null) {
      this.unlisten?.();
      this.ready = [];
      this.taken = 0;
      this.closing = this.id === 0 ? Promise.resolve() : this.end();
      this.quit.abort();
    }
    return this.closing;
  }

  /** Tells the module that nobody listens any more. */
  private async end(): Promise<void> {
    try {
      await this.caller.call((w) => request(w, this.command, 5, this.id), () => undefined, undefined);
    } catch (e) {
      if (!(e instanceof SynapError)) throw e; // a closed client has closed its subscriptions
    }
  }
}

function request(w: Writer, command: string, op: number, ...numbers: Integer[]): void {
  w.command = command;
  w.array(1 + numbers.length);
  w.int(op, "op");
  for (const n of numbers) w.int(n, "n");
}

/**
 * A subscription: an async iterable of what comes, to read with `for await` or
 * `next()`. It reconnects by itself; `lost` on an item tells what was lost before
 * it. Leaving a `for await` loop closes it, as do `close()` and `await using`.
 * One read waits at a time.
 */
export class Subscription<T> implements AsyncIterable<T>, AsyncDisposable {
  /** @internal */
  protected readonly feed: Feed<T>;

  /** @internal */
  constructor(feed: Feed<T>) {
    this.feed = feed;
    Object.defineProperty(this, "feed", { enumerable: false });
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.feed.state === "closed";
  }

  /**
   * Returns the next item, waiting for it.
   *
   * @throws {TimeoutError} Nothing came within `timeoutMs`; the subscription lives on.
   * @throws {ClosedError} The subscription or its client is closed.
   */
  async next(options: NextOptions = {}): Promise<T> {
    for (;;) {
      const item = this.feed.take();
      if (item !== undefined) return item;
      await this.feed.wait(options);
    }
  }

  /** Ends the subscription. Closing twice is harmless. */
  close(): Promise<void> {
    return this.feed.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const { feed } = this;
    const done = { done: true, value: undefined } as const;
    return {
      async next(): Promise<IteratorResult<T, undefined>> {
        try {
          for (;;) {
            const item = feed.take();
            if (item !== undefined) return { done: false, value: item };
            await feed.wait({});
          }
        } catch (e) {
          if (e instanceof ClosedError) return done;
          throw e;
        }
      },
      async return(): Promise<IteratorResult<T, undefined>> {
        await feed.close();
        return done;
      },
    };
  }

  [asyncDispose](): Promise<void> {
    return this.feed.close();
  }

  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Subscription <${this.feed.command}, ${this.feed.state}>`;
  }
}

/**
 * A subscription that has not begun. It registers with the server at the first
 * step of `for await` or the first `next()`; awaiting it registers at once, so
 * that nothing that is sent afterwards is missed:
 *
 *     const messages = await client.pubsub.subscribe(["news.*"]);
 */
export class LazySubscription<T> extends Subscription<T> implements PromiseLike<Subscription<T>> {
  /** @internal */
  static prepare<T>(caller: Caller, encode: Encode, make: Make<T>, options: CallOptions | null | undefined): LazySubscription<T> {
    return new LazySubscription(new Feed(caller, encode, make, options));
  }

  then<A = Subscription<T>, B = never>(
    fulfilled?: ((subscription: Subscription<T>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.feed.start().then(() => new Subscription(this.feed)).then(fulfilled, rejected);
  }
}
