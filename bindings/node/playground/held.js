// The messages that were consumed and wait for Ack or Nack.
import { showCall } from "./code.js";
import { calls } from "./commands.js";
import { h, prepend } from "./dom.js";
import { show } from "./format.js";
import { report } from "./report.js";

const list = document.getElementById("held");

export function hold(client, queue, message) {
  const args = { queue, message_id: message.messageId };
  const settle = (command) => async () => {
    showCall(command, args);
    const [, error] = await report(command, () => calls[command].run(client, args), calls[command].said);
    // Not found: its deadline has passed, it is on its way to somebody else.
    if (!error || error.code === "NotFound") item.remove();
  };
  const retries = Number(message.retryCount);
  const item = h(
    "li",
    {},
    h("span", {}, queue),
    h("span", {}, show(message.payload)),
    h("span", {}, `priority ${message.priority}${retries ? `, attempt ${retries + 1}` : ""}`),
    h("span", { class: "settle" }, h("button", { type: "button", class: "small", onclick: settle("queue.ack") }, "Ack"), h("button", { type: "button", class: "small", onclick: settle("queue.nack") }, "Nack")),
  );
  prepend(list, item);
}

/** Forgets them: the client goes. */
export const forget = () => list.replaceChildren();
