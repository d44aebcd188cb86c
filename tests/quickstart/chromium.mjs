// The guide's quick start in a page in Chromium: node chromium.mjs ADDRESS.
//
// Says nothing when all is well; exits with 3 where there is no Chromium, with 1
// when a step fails.
import { find, launch } from "../browser/chromium.mjs";
import { startSite } from "../browser/programs.mjs";

/** Runs in the page. */
async function quickstart(address) {
  const { SynapClient } = await import("./sdk/browser.js");
  const check = (ok, what) => {
    if (!ok) throw new Error(what + ": unexpected result");
  };
  const client = await SynapClient.connect(address);

  // Key-value operations
  await client.kv.set("user:1", "John Doe", { ttl: 3600 });
  check((await client.kv.get("user:1")) === "John Doe", "kv.get");
  check((await client.kv.delete("user:1")) === true, "kv.delete");

  // Queue operations
  await client.queue.create("jobs-chromium", { maxDepth: 1000 });
  await client.queue.publish("jobs-chromium", new TextEncoder().encode("Hello"), { priority: 5 });
  const message = await client.queue.consume("jobs-chromium", "worker-1");
  check(message !== null && new TextDecoder().decode(message.payload) === "Hello", "queue.consume");
  await client.queue.ack("jobs-chromium", message.messageId);

  // Event streams
  await client.stream.getOrCreate("notifications-chromium");
  const offset = await client.stream.publish("notifications-chromium", "user.signup", "New user registered");
  const events = await client.stream.consume("notifications-chromium", "user-1", { fromOffset: offset, limit: 10 });
  check(events.length === 1 && events[0].event === "user.signup" && events[0].data === "New user registered", "stream.consume");

  // Pub/sub
  const messages = await client.pubsub.subscribe(["notifications.*"]);
  await client.pubsub.publish("notifications.email", "New order received");
  for await (const received of messages) {
    check(received.topic === "notifications.email" && received.message === "New order received", "pubsub.subscribe");
    break;
  }
  await client.close();
}

if (find() === null) {
  console.error("no Chromium here: install Debian's package chromium");
  process.exit(3);
}
const [browser, site] = await Promise.all([launch(), startSite()]);
try {
  const page = await browser.newPage();
  await page.goto(site.address);
  await page.evaluate(quickstart, process.argv[2]);
} catch (error) {
  console.error("quickstart (Chromium):", error.message);
  process.exitCode = 1;
} finally {
  await Promise.all([browser.close(), site.stop()]);
}
