/** TCP and TLS connections in Node, for the native wires. */
import * as net from "node:net";
import * as tls from "node:tls";
import { reason, type Answers, type Dial } from "./platform.js";

/** How long a server may take to read what was written before a close. */
const GOODBYE_MS = 500;
/** How often the system asks a silent server whether it is there. */
const KEEP_ALIVE_MS = 15_000;

/** What Node says of certificates that are not trusted. */
const UNTRUSTED = /CERT|ISSUER|UNABLE_TO_VERIFY/;

export class NodeSockets {
  readonly #answers: Answers;
  readonly #tls: tls.ConnectionOptions;
  readonly #live = new Map<number, NodeSocket>();

  constructor(answers: Answers, options: tls.ConnectionOptions) {
    this.#answers = answers;
    this.#tls = options;
  }

  open(id: number, dial: Dial): void {
    const answers = this.#answers;
    const live = (): boolean => this.#live.get(id) === socket;
    const socket = new NodeSocket(dial, this.#tls, {
      opened: () => live() && answers.socketOpened(id),
      data: (chunk) => live() && answers.socketData(id, chunk),
      closed: (why) => {
        if (live() && this.#live.delete(id)) answers.socketClosed(id, why);
      },
    });
    this.#live.set(id, socket);
  }

  write(id: number, bytes: Uint8Array): void {
    this.#live.get(id)?.write(bytes);
  }

  close(id: number): void {
    const socket = this.#live.get(id);
    this.#live.delete(id);
    socket?.close();
  }

  /** Drops all that the module has not closed itself. */
  end(): void {
    for (const id of [...this.#live.keys()]) this.close(id);
  }
}

interface Events {
  opened(): void;
  data(chunk: Uint8Array): void;
  closed(why: string): void;
}

class NodeSocket {
  private readonly socket: net.Socket;
  private corked = false;

  constructor(dial: Dial, options: tls.ConnectionOptions, events: Events) {
    const to = { host: dial.host, port: dial.port };
    // The name of an IP address is none: its certificate is checked all the same.
    const name = net.isIP(dial.host) === 0 ? { servername: dial.host } : {};
    const socket = dial.tls ? tls.connect({ ...options, ...to, ...name }) : net.connect(to);
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // What keeps a process alive is calls in flight, not connections.
    socket.unref();
    let why = "the connection was closed";
    socket.once(dial.tls ? "secureConnect" : "connect", () => events.opened());
    socket.on("data", (chunk: Uint8Array) => events.data(chunk));
    socket.on("error", (e: NodeJS.ErrnoException) => {
      why = UNTRUSTED.test(e.code ?? "") ? `its certificate is not trusted (${reason(e)}); name its authority with tlsCa` : reason(e);
    });
    socket.once("end", () => {
      events.closed("the server closed the connection");
      socket.destroy();
    });
    socket.once("close", () => events.closed(why));
  }

  /** Writes bytes, which are its own. What is written in one turn of the event loop travels together. */
  write(bytes: Uint8Array): void {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(bytes);
  }

  close(): void {
    const { socket } = this;
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    socket.end(); // after what was written
    socket.resume();
    setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
  }
}
