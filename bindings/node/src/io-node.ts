/** Connections in Node: undici for HTTP and WebSockets, io-socket.ts for the native wires. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, Pool, WebSocket, buildConnector, type Dispatcher } from "undici";
import { ConnectionError, InvalidArgumentError } from "./generated/errors.js";
import { NodeSockets } from "./io-socket.js";
import { Sent, reason, type Answers, type Dial, type HostRequest, type Settings, type Transport } from "./platform.js";
import { refusalOf } from "./refusal-node.js";

/** How many requests of a lane may be under way on its connection. */
const LANE_DEPTH = 64;
/** How many connections lanes may have besides the pool's. */
const MOST_LANES = 16;
/** How long a server may take to answer the close of a WebSocket. */
const GOODBYE_MS = 2000;

type Tls = { ca?: string; cert?: string; key?: string; rejectUnauthorized: boolean };

/** The requests of one lane: they share a connection and stop at the first failure. */
interface Lane {
  readonly number: number;
  readonly line: Line;
  left: number;
  failed: boolean;
}

/** A connection on which lanes run. */
interface Line {
  readonly client: Client;
  busy: number;
}

export class NodeTransport implements Transport {
  readonly #answers: Answers;
  readonly #settings: Settings;
  readonly #tls: Tls;
  readonly #live = new Map<number, Exchange>();
  readonly #streams = new Map<number, Stream>();
  readonly #sockets: NodeSockets;
  readonly #lines: Line[] = [];
  readonly #lanes = new Map<number, Lane>();
  #done: Exchange[] = [];
  #origin = "";
  #authorization = "";
  #headers: string[] = [];
  #pool: Pool | null = null;

  constructor(settings: Settings, answers: Answers) {
    this.#settings = settings;
    this.#answers = answers;
    this.#tls = {
      rejectUnauthorized: !settings.tls_insecure,
      ...pem("ca", "tlsCa", settings.tls_ca),
      ...pem("cert", "tlsCert", settings.tls_cert),
      ...pem("key", "tlsKey", settings.tls_key),
    };
    this.#sockets = new NodeSockets(answers, this.#tls);
  }

  #options(): Client.Options & { connect: buildConnector.BuildOptions } {
    return {
      connect: { timeout: this.#settings.connect_timeout, ...this.#tls },
      // The module has deadlines of its own and aborts what is over.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
  }

  // --- HTTP -------------------------------------------------------------------------

  request(id: number, request: HostRequest): void {
    const { url, body } = request;
    const origin = this.#originOf(url);
    const lane = request.lane === 0 ? null : this.#lane(request.lane, origin);
    const exchange = new Exchange(id, this.#settings.max_reply_bytes, lane, this.#ended);
    this.#live.set(id, exchange);
    const dispatcher: Dispatcher = lane === null ? (this.#pool ??= new Pool(origin, { ...this.#options(), connections: this.#settings.pool_size })) : lane.line.client;
    dispatcher.dispatch(
      {
        path: url.slice(origin.length),
        method: request.method as Dispatcher.HttpMethod,
        headers: this.#headersOf(request.authorization),
        body: body.length > 0 ? body : null,
        // Only what is said to be safe to repeat is pipelined. Exchange sees to it
        // that nothing is.
        idempotent: lane !== null,
      },
      exchange,
    );
  }

  #headersOf(authorization: string): string[] {
    if (this.#headers.length === 0 || authorization !== this.#authorization) {
      this.#authorization = authorization;
      this.#headers = ["content-type", "application/json"];
      if (authorization !== "") this.#headers.push("authorization", authorization);
    }
    return this.#headers;
  }

  #originOf(url: string): string {
    if (this.#origin === "" || !url.startsWith(this.#origin)) this.#origin = url.slice(0, url.indexOf("/", url.indexOf("://") + 3));
    return this.#origin;
  }

  /** Returns the lane of a number, whose requests all go over one connection. */
  #lane(number: number, origin: string): Lane {
    let lane = this.#lanes.get(number);
    if (lane === undefined) {
      lane = { number, line: this.#line(origin), left: 0, failed: false };
      this.#lanes.set(number, lane);
    }
    lane.left++;
    lane.line.busy++;
    return lane;
  }

  /** Returns the least busy connection for lanes, or a new one. */
  #line(origin: string): Line {
    let best: Line | null = null;
    for (const line of this.#lines) if (best === null || line.busy < best.busy) best = line;
    if (best !== null && (best.busy === 0 || this.#lines.length >= Math.min(MOST_LANES, this.#settings.pool_size))) return best;
    const line: Line = { client: new Client(origin, { ...this.#options(), pipelining: LANE_DEPTH }), busy: 0 };
    this.#lines.push(line);
    return line;
  }

  readonly #ended = (exchange: Exchange): void => {
    const { lane } = exchange;
    if (lane !== null) {
      lane.line.busy--;
      if (--lane.left === 0) this.#lanes.delete(lane.number);
    }
    // What ends in one turn of the event loop is handed over together: the module
    // runs faster at a stretch. One alone need not wait for others.
    const alone = this.#live.size === 1;
    if (this.#done.push(exchange) > 1) return;
    if (alone) this.#handOver();
    else setImmediate(this.#handOver);
  };

  readonly #handOver = (): void => {
    const done = this.#done;
    this.#done = [];
    for (const exchange of done) {
      if (!this.#live.delete(exchange.id)) continue; // nobody waits
      if (exchange.error === null) this.#answers.response(exchange.id, exchange.status, exchange.body());
      else this.#answers.failed(exchange.id, exchange.sent, reason(exchange.error));
    }
  };

  abort(id: number): void {
    const exchange = this.#live.get(id);
    this.#live.delete(id);
    exchange?.giveUp();
  }

  // --- WebSockets -------------------------------------------------------------------

  openStream(id: number, request: HostRequest): void {
    const ended = (status: number, body: string): void => {
      if (this.#streams.delete(id)) this.#answers.streamClosed(id, status, body);
    };
    const stream = new Stream(request, this.#options(), this.#tls, (text) => this.#answers.streamData(id, text), ended);
    this.#streams.set(id, stream);
  }

  closeStream(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.close();
  }

  // --- sockets ----------------------------------------------------------------------

  openSocket(id: number, dial: Dial): void {
    this.#sockets.open(id, dial);
  }

  writeSocket(id: number, bytes: Uint8Array): void {
    this.#sockets.write(id, bytes);
  }

  closeSocket(id: number): void {
    this.#sockets.close(id);
  }

  async close(): Promise<void> {
    this.#sockets.end();
    this.#live.clear();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    const all: (Dispatcher | null)[] = [this.#pool, ...this.#lines.map((line) => line.client)];
    await Promise.all(all.map((dispatcher) => dispatcher?.destroy()));
  }
}

/** Reads an option that is PEM text or the name of a file with it. */
function pem(name: "ca" | "cert" | "key", option: string, value: string): Partial<Tls> {
  if (value === "") return {};
  if (value.startsWith("-----BEGIN")) return { [name]: value };
  try {
    return { [name]: readFileSync(value, "utf8") };
  } catch (e) {
    throw new InvalidArgumentError(`option ${option}: the file cannot be read: ${reason(e)}`, { cause: e });
  }
}

/** One HTTP exchange: what undici calls back. */
class Exchange implements Dispatcher.DispatchHandlers {
  readonly id: number;
  readonly lane: Lane | null;
  status = 0;
  sent: Sent = Sent.No;
  error: Error | null = null;

  private readonly most: number;
  private readonly ended: (exchange: Exchange) => void;
  private abort: ((error?: Error) => void) | null = null;
  private givenUp = false;
  private chunks: Buffer[] = [];
  private size = 0;

  constructor(id: number, most: number, lane: Lane | null, ended: (exchange: Exchange) => void) {
    this.id = id;
    this.most = most;
    this.lane = lane;
    this.ended = ended;
  }

  onConnect(abort: (error?: Error) => void): void {
    // undici writes a pipelined request anew after a broken connection; whether
    // that is safe is not for it to say.
    if (this.sent !== Sent.No) abort(new ConnectionError("the connection broke with requests under way"));
    else if (this.givenUp) abort();
    else if (this.lane?.failed === true) abort(new ConnectionError("an earlier request of the same batch failed"));
    else {
      this.sent = Sent.Maybe;
      this.abort = abort;
    }
  }

  onHeaders(status: number): boolean {
    this.status = status;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.size += chunk.length;
    if (this.size > this.most) {
      this.sent = Sent.TooLarge;
      this.abort?.(new Error("too large"));
      return false;
    }
    this.chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    this.ended(this);
  }

  onError(error: Error): void {
    this.error = error;
    if (this.lane !== null) this.lane.failed = true;
    this.ended(this);
  }

  body(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
  }

  giveUp(): void {
    this.givenUp = true;
    this.abort?.();
  }
}

/** One WebSocket. */
class Stream {
  private readonly client: Client;
  private readonly socket: WebSocket;
  private raw: Duplex | null = null;
  private readonly timer: NodeJS.Timeout;
  private readonly ended: (status: number, body: string) => void;
  private over = false;

  constructor(
    request: HostRequest,
    options: Client.Options & { connect: buildConnector.BuildOptions },
    tls: Tls,
    data: (text: string) => void,
    ended: (status: number, body: string) => void,
  ) {
    this.ended = ended;
    let open = false;
    let gone = false;
    const connect = buildConnector(options.connect);
    this.client = new Client(new URL(request.url.replace(/^ws/, "http")).origin, {
      ...options,
      connect: (to, callback) =>
        connect(to, (...result) => {
          this.raw = result[1] ?? null;
          callback(...result);
        }),
    });
    const headers: Record<string, string> = request.authorization === "" ? {} : { authorization: request.authorization };
    this.socket = new WebSocket(request.url, { dispatcher: this.client, headers });
    this.socket.onopen = () => {
      open = true;
      clearTimeout(this.timer);
    };
    this.socket.onmessage = ({ data: text }) => {
      if (!this.over && typeof text === "string") data(text);
    };
    // A refused upgrade ends with an error, an open connection with a close.
    this.socket.onclose = this.socket.onerror = () => {
      if (gone) return;
      gone = true;
      if (open || this.raw === null) this.end(0, "");
      // undici does not tell why an upgrade was refused: ask once more.
      else refusalOf(request, tls).then(({ status, body }) => this.end(status, body), () => this.end(0, ""));
    };
    this.timer = setTimeout(() => this.end(0, ""), request.timeoutMs);
  }

  private end(status: number, body: string): void {
    if (this.over) return;
    this.close();
    this.ended(status, body);
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket.close();
    void this.client.destroy().catch(() => undefined);
    // A server that does not say goodbye keeps neither the socket nor the process.
    const { raw } = this;
    if (raw === null) return;
    (raw as Socket).unref?.();
    setTimeout(() => raw.destroy(), GOODBYE_MS).unref();
  }
}
