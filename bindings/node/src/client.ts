/** What the clients of all environments have in common. */
import { Batch } from "./batch.js";
import { asIs } from "./caller.js";
import type { Channel } from "./channel.js";
import { asyncDispose } from "./dispose.js";
import { Families } from "./generated/families.js";
import type { CallOptions } from "./types.js";

/**
 * A client of a Synap server. The commands stand in its families: `client.kv`,
 * `client.queue`, `client.stream`, `client.pubsub`. Every call takes `timeoutMs`
 * and `signal` in its last argument and fails with a SynapError. Close it when it
 * is no longer needed, or let `await using` do that.
 */
export abstract class Client extends Families implements AsyncDisposable {
  readonly #channel: Channel;

  /** @internal */
  constructor(channel: Channel) {
    super(channel);
    this.#channel = channel;
  }

  /**
   * Runs a command by its name on the server, with and for the bare payload. This
   * is the way to commands without a method; nothing is converted.
   *
   * @param name The server's name of the command, such as "hash.set".
   * @param payload Its payload, usually an object.
   * @returns The payload of the reply.
   * @example
   * await client.command("kv.get", { key: "user:1" });
   */
  command(name: string, payload: unknown = null, options?: CallOptions): Promise<unknown> {
    return this.#channel.call(
      (w) => {
        w.command = typeof name === "string" ? name : "";
        w.array(3);
        w.int(1, "op");
        w.text(name, "name");
        w.json(payload, "payload");
      },
      asIs,
      options,
    );
  }

  /** Returns a Batch, which collects calls and runs them together. */
  batch(): Batch {
    return new Batch(this.#channel);
  }

  /** Whether the client was closed. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  /** Closes the client: calls in flight fail, subscriptions end. Closing twice is harmless. */
  close(): Promise<void> {
    return this.#channel.close();
  }

  [asyncDispose](): Promise<void> {
    return this.#channel.close();
  }

  override toString(): string {
    return `SynapClient <${this.#channel.address}${this.closed ? ", closed" : ""}>`;
  }

  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
