/** Connections in browsers: fetch and WebSocket. */
import { InvalidArgumentError } from "./generated/errors.js";
import { Sent, reason, type Answers, type HostRequest, type Settings, type Transport } from "./platform.js";

/** What a browser gives to connect with. Tests have their own. */
export interface Net {
  fetch(url: string, init: FetchInit): Promise<FetchResponse>;
  WebSocket: new (url: string) => Socket;
}

export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer> | null;
  signal: AbortSignal;
  cache: "no-store";
  credentials: "omit";
  redirect: "error";
}

export interface FetchResponse {
  readonly status: number;
  readonly body: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> } } | null;
}

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

const BEARER = "Bearer ";

export class BrowserTransport implements Transport {
  readonly #net: Net;
  readonly #answers: Answers;
  readonly #settings: Settings;
  readonly #live = new Map<number, AbortController>();
  readonly #streams = new Map<number, Socket>();
  /** The end of the last request of each lane: whether it was answered. */
  readonly #lanes = new Map<number, Promise<boolean>>();

  constructor(net: Net, settings: Settings, answers: Answers) {
    for (const name of ["tls_ca", "tls_cert", "tls_key", "tls_insecure"] as const) {
      if (settings[name]) throw new InvalidArgumentError(`option ${name} has no effect here: the browser decides whom to trust`);
    }
    this.#net = net;
    this.#settings = settings;
    this.#answers = answers;
  }

  // --- HTTP -------------------------------------------------------------------------

  request(id: number, request: HostRequest): void {
    const controller = new AbortController();
    this.#live.set(id, controller);
    if (request.lane === 0) {
      void this.#exchange(id, request, controller);
      return;
    }
    // Browsers do not pipeline: the order is kept by waiting for each answer.
    const before = this.#lanes.get(request.lane) ?? Promise.resolve(true);
    const end = before.then((answered) => {
      if (answered) return this.#exchange(id, request, controller);
      this.#failed(id, Sent.No, "an earlier request of the same batch failed");
      return false;
    });
    this.#lanes.set(request.lane, end);
    void end.then(() => {
      if (this.#lanes.get(request.lane) === end) this.#lanes.delete(request.lane);
    });
  }

  /** Carries a request out and returns whether it was answered. */
  async #exchange(id: number, request: HostRequest, controller: AbortController): Promise<boolean> {
    if (controller.signal.aborted) return false;
    const { url, method, authorization } = request;
    const path = url.slice(url.indexOf("/", url.indexOf("://") + 3));
    if (new URL(url).pathname !== path.split("?")[0]) {
      this.#failed(id, Sent.No, "a browser would send another path than this one; avoid the key in it");
      return false;
    }
    const headers: Record<string, string> = {};
    const body = request.body.length > 0 ? (request.body as Uint8Array<ArrayBuffer>) : null;
    if (body !== null) headers["Content-Type"] = "application/json";
    if (authorization !== "") headers["Authorization"] = authorization;
    let response: FetchResponse;
    try {
      response = await this.#net.fetch(url, { method, headers, body, signal: controller.signal, cache: "no-store", credentials: "omit", redirect: "error" });
    } catch (e) {
      // The browser hides what happened, and whether the server has seen the request.
      this.#failed(id, Sent.Maybe, `${reason(e)}. The browser does not say more: nothing may listen there, or the server's CORS rules (Access-Control-Allow-Origin) ` +
        "do not allow this page, or a page of https may not use http");
      return false;
    }
    try {
      const reply = await this.#read(response);
      if (!this.#live.delete(id)) return false; // nobody waits
      if (reply === null) this.#answers.failed(id, Sent.TooLarge, "");
      else this.#answers.response(id, response.status, reply);
      return true;
    } catch (e) {
      this.#failed(id, Sent.Maybe, reason(e));
      return false;
    }
  }

  /** Reads a reply, null if it is too large. */
  async #read(response: FetchResponse): Promise<Uint8Array | null> {
    if (response.body === null) return new Uint8Array();
    const reader = response.body.getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) break;
      size += value.length;
      if (size > this.#settings.max_reply_bytes) {
        void reader.cancel().catch(() => undefined);
        return null;
      }
      chunks.push(value);
    }
    if (chunks.length === 1) return chunks[0]!;
    const out = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  #failed(id: number, sent: Sent, why: string): void {
    if (this.#live.delete(id)) this.#answers.failed(id, sent, why);
  }

  abort(id: number): void {
    const controller = this.#live.get(id);
    this.#live.delete(id);
    controller?.abort();
  }

  // --- WebSockets -------------------------------------------------------------------

  openStream(id: number, request: HostRequest): void {
    let { url } = request;
    if (request.authorization.startsWith(BEARER)) {
      // A browser's WebSocket carries no headers; the server takes the key here too.
      url += `${url.includes("?") ? "&" : "?"}api_key=${encodeURIComponent(request.authorization.slice(BEARER.length))}`;
    } else if (request.authorization !== "") {
      queueMicrotask(() => this.#answers.streamClosed(id, 400, "a browser cannot send username and password with a WebSocket: use apiKey"));
      return;
    }
    const socket = new this.#net.WebSocket(url);
    this.#streams.set(id, socket);
    const ended = (): void => {
      clearTimeout(timer);
      if (this.#streams.delete(id)) this.#answers.streamClosed(id, 0, "");
    };
    const timer = setTimeout(() => {
      ended();
      socket.close();
    }, request.timeoutMs);
    socket.onopen = () => clearTimeout(timer);
    socket.onmessage = ({ data }) => {
      if (this.#streams.has(id) && typeof data === "string") this.#answers.streamData(id, data);
    };
    socket.onclose = ended;
  }

  closeStream(id: number): void {
    const socket = this.#streams.get(id);
    this.#streams.delete(id);
    socket?.close();
  }

  // --- sockets: there are none, and the module knows -----------------------------------

  openSocket(id: number): void {
    this.#answers.socketClosed(id, "a browser has no TCP");
  }

  writeSocket(): void {}

  closeSocket(): void {}

  async close(): Promise<void> {
    for (const controller of this.#live.values()) controller.abort();
    this.#live.clear();
    for (const socket of this.#streams.values()) socket.close();
    this.#streams.clear();
    this.#lanes.clear();
  }
}
