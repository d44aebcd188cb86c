// Subscriptions: a button that starts and stops one, and a list of its items.
import { showCall } from "./code.js";
import { feeds } from "./commands.js";
import { h, prepend } from "./dom.js";
import { times } from "./format.js";
import { errorContent, report, reportError } from "./report.js";

const running = new Set();

/** What was lost before an item: -1 is a number that nobody knows. */
const lostText = (lost) => (lost < 0 ? "Some may be lost here: the connection broke" : `${lost} lost here`);

class Feed {
  constructor(button) {
    this.button = button;
    this.list = button.closest("form").querySelector(".feed");
    this.tally = h("p", { class: "tally" });
    this.list.before(this.tally);
    this.label = button.textContent;
  }

  /** Counts an item and shows the counts: the list forgets its oldest items. */
  count(lost) {
    this.received++;
    if (lost > 0) this.lost += lost;
    if (lost < 0) this.gaps++;
    const parts = [`${this.received} received`];
    if (this.lost) parts.push(`${this.lost} lost`);
    if (this.gaps) parts.push(`${times(this.gaps, "gap")} of unknown size`);
    this.tally.textContent = parts.join(", ");
    this.tally.classList.toggle("warn", this.lost + this.gaps > 0);
  }

  async start(client, command, args) {
    const { run, row } = feeds[command];
    running.add(this);
    this.stopped = false;
    this.button.disabled = true;
    const [subscription, error] = await report(command, async () => run(client, args), () => "Delivering from now on.");
    this.button.disabled = false;
    if (error || this.stopped) {
      await subscription?.close();
      this.end();
      return;
    }
    this.subscription = subscription;
    this.button.textContent = "Stop";
    this.button.classList.add("running");
    this.list.replaceChildren();
    this.tally.textContent = "";
    this.received = this.lost = this.gaps = 0;
    try {
      for await (const item of subscription) {
        const lost = Number(item.lost);
        this.count(lost);
        if (lost !== 0) prepend(this.list, h("li", { class: "lost" }, lostText(lost)));
        prepend(this.list, h("li", {}, ...row(item).flatMap((cell) => [h("span", {}, String(cell)), " "])));
      }
    } catch (failure) {
      if (!this.stopped) {
        prepend(this.list, h("li", { class: "failed" }, ...errorContent(failure)));
        reportError(command, failure);
      }
    }
    this.end();
  }

  end() {
    running.delete(this);
    this.subscription = undefined;
    this.button.textContent = this.label;
    this.button.classList.remove("running");
  }

  async stop() {
    this.stopped = true;
    await this.subscription?.close();
  }
}

const all = new Map();

/** Starts or stops the feed of a button. */
export async function toggle(button, client, command, args) {
  if (!all.has(button)) all.set(button, new Feed(button));
  const feed = all.get(button);
  if (running.has(feed)) {
    await feed.stop();
    return;
  }
  showCall(command, args);
  await feed.start(client, command, args);
}

/** Stops all feeds: the client goes. */
export const stopAll = () => Promise.all([...running].map((feed) => feed.stop()));
