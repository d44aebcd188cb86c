// TLS: certificates that are trusted, and those that are not.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "./helpers.mjs";

let folder, server, url;
const file = (name) => join(folder, name);

/** Makes a certificate that its own key signs. */
function certificate(name, ...more) {
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${name}`, "-keyout", file(`${name}.key`), "-out", file(`${name}.crt`), ...more], { stdio: "pipe" });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "synap-tls-"));
  certificate("server", "-addext", "subjectAltName=IP:127.0.0.1");
  certificate("user");
  const options = { key: readFileSync(file("server.key")), cert: readFileSync(file("server.crt")), ca: readFileSync(file("user.crt")), requestCert: true, rejectUnauthorized: false };
  server = createServer(options, (request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => response.end(JSON.stringify({ success: true, request_id: JSON.parse(body).request_id, payload: request.socket.authorized ? "known" : "unknown", error: null })));
  });
  server.on("upgrade", (request, socket) => socket.end(`HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n`));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `https://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections?.();
  server.close();
  rmSync(folder, { recursive: true });
});

test("a certificate that nobody trusts", async (t) => {
  const client = await connect(t, url, { maxRetries: 0 });
  await assert.rejects(client.kv.get("k"), (e) => e.code === "Connection" && /self.signed/.test(e.message));
});

test("a certificate from a file, as text, and any", async (t) => {
  for (const options of [{ tlsCa: file("server.crt") }, { tlsCa: readFileSync(file("server.crt"), "utf8") }, { tlsInsecure: true }]) {
    const client = await connect(t, url, options);
    assert.equal(await client.kv.get("k"), "unknown");
    await assert.rejects(client.pubsub.subscribe(["t"]).next(), { code: "PermissionDenied", statusCode: 403 });
  }
  const client = await connect(t, `${url}?tls_ca=${encodeURIComponent(file("server.crt"))}`);
  assert.equal(await client.kv.get("k"), "unknown");
});

test("a client with a certificate", async (t) => {
  const client = await connect(t, url, { tlsCa: file("server.crt"), tlsCert: file("user.crt"), tlsKey: file("user.key") });
  assert.equal(await client.kv.get("k"), "known");
});
