/** Why a server refuses a WebSocket, which WebSocket itself does not tell. */
import { randomBytes } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import type { HostRequest } from "./platform.js";

/** How much of the answer is read. */
const MOST = 4096;

export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks for the upgrade by hand and returns the answer; status 0 if there is none,
 * or if the server would agree now.
 */
export function refusalOf(request: HostRequest, tls: https.RequestOptions): Promise<Refusal> {
  const url = new URL(request.url);
  const secure = url.protocol === "wss:";
  url.protocol = secure ? "https:" : "http:";
  const headers: http.OutgoingHttpHeaders = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
  if (request.authorization !== "") headers["authorization"] = request.authorization;
  const options: https.RequestOptions = { ...tls, headers, agent: false, timeout: request.timeoutMs };
  return new Promise((resolve) => {
    const none: Refusal = { status: 0, body: "" };
    const question = (secure ? https : http).get(url, options);
    question.on("response", (answer) => {
      let body = "";
      const done = (): void => {
        resolve({ status: answer.statusCode ?? 0, body: body.slice(0, MOST) });
        question.destroy();
      };
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => {
        body += text;
        if (body.length >= MOST) done();
      });
      answer.on("end", done);
      answer.on("error", done);
    });
    question.on("upgrade", (_answer, socket) => {
      resolve(none);
      socket.destroy();
    });
    question.on("timeout", () => question.destroy());
    question.on("error", () => resolve(none));
    question.on("close", () => resolve(none));
  });
}
