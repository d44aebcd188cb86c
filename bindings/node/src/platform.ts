/** What the module's host needs of the environment it runs in: Node, a browser, a test. */
import type { WasmSource } from "./types.js";

/** The options of a client that concern its connections (synap_settings). */
export interface Settings {
  readonly connect_timeout: number; // milliseconds
  readonly pool_size: number;
  readonly max_reply_bytes: number;
  readonly tls_ca: string;
  readonly tls_cert: string;
  readonly tls_key: string;
  readonly tls_insecure: boolean;
}

/** One HTTP request or WebSocket upgrade of the module. */
export interface HostRequest {
  readonly method: string;
  readonly url: string;
  /** The header of that name, "" for none. */
  readonly authorization: string;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Requests of one lane other than 0 reach the server in order and are answered in order. */
  readonly lane: number;
}

/** A TCP connection that the module wants opened. */
export interface Dial {
  /** A name or an IP address, without brackets; with TLS, whose certificate the server must show. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What is known of a request without an answer. */
export const Sent = {
  /** The server cannot have seen it. */
  No: 0,
  /** The server may have seen it. */
  Maybe: 1,
  /** There is an answer, larger than max_reply_bytes. */
  TooLarge: 2,
} as const;
export type Sent = (typeof Sent)[keyof typeof Sent];

/** Where a transport says what came of a request, WebSocket or socket. */
export interface Answers {
  response(request: number, status: number, body: Uint8Array): void;
  /** There is no answer, or none that is taken. */
  failed(request: number, sent: Sent, why: string): void;
  streamData(stream: number, text: string): void;
  /** A WebSocket is gone or was refused; status and body are those of a refusal, 0 and "" where unknown. */
  streamClosed(stream: number, status: number, body: string): void;
  socketOpened(socket: number): void;
  socketData(socket: number, data: Uint8Array): void;
  /** A socket is gone or never came about. */
  socketClosed(socket: number, why: string): void;
}

/** The connections of one client. */
export interface Transport {
  request(id: number, request: HostRequest): void;
  abort(id: number): void;
  openStream(id: number, request: HostRequest): void;
  closeStream(id: number): void;
  openSocket(id: number, dial: Dial): void;
  /** Sends bytes, which are the transport's from now on. */
  writeSocket(id: number, bytes: Uint8Array): void;
  /** Closes a socket after what was written. */
  closeSocket(id: number): void;
  /** Drops all connections; nothing is answered any more. */
  close(): Promise<void>;
}

/** A running timer; Node's keep the process alive unless told not to. */
export interface Timer {
  stop(): void;
  keepAlive(on: boolean): void;
}

export interface Platform {
  /** Whether there is TCP here; without it no socket is ever asked for. */
  readonly sockets: boolean;
  /** Loads and compiles the module: the packaged one if there is no source. */
  load(source: WasmSource | undefined): Promise<WebAssembly.Module>;
  /** Makes the transport of a client. It throws InvalidArgumentError for settings that it cannot obey. */
  transport(settings: Settings, answers: Answers): Transport;
  /** The SYNAP_ variables of the environment. */
  environment(): Readonly<Record<string, string>>;
  /** Fills bytes at random. */
  random(to: Uint8Array): void;
  /** The Unix time in milliseconds. */
  now(): number;
  timer(ms: number, run: () => void): Timer;
}

/** Returns the longest text of a failure that helps: its message, its cause's, its code. */
export function reason(error: unknown): string {
  let e = error as { message?: unknown; code?: unknown; cause?: unknown; errors?: unknown };
  // A name with several addresses fails with one error each.
  if (Array.isArray(e?.errors) && e.errors.length > 0) e = e.errors[0] as typeof e;
  if (e?.cause instanceof Error && e.cause.message !== "") e = e.cause as typeof e;
  if (typeof e?.message === "string" && e.message !== "") return e.message;
  return typeof e?.code === "string" ? e.code : String(error);
}
