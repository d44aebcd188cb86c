// Subscriptions: a button that starts and stops one, and a list of its items.
import { showCall } from "./code.js";
import { feeds } from "./commands.js";
import { h, prepend } from "./dom.js";
import { errorContent, report, reportError } from "./report.js";

const running = new Set();

/** What was lost before an item: -1 is a number that nobody knows. */
const lostText = (lost) => (Number(lost) < 0 ? "Some may be lost here: the connection broke" : `${lost} lost here`);

class Feed {
  constructor(button) {
    this.button = button;
    this.list = button.closest("form").querySelector(".feed");
    this.label = button.textContent;
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
    try {
      for await (const item of subscription) {
        if (Number(item.lost) !== 0) prepend(this.list, h("li", { class: "lost" }, lostText(item.lost)));
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
