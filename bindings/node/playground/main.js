// The page: connecting, and what clicks lead to.
import { showCall, showTarget } from "./code.js";
import { calls, feeds } from "./commands.js";
import { tabs } from "./dom.js";
import { stopAll, toggle } from "./feeds.js";
import { FieldError, Fields } from "./fields.js";
import { times, withoutSecrets } from "./format.js";
import { forget, hold } from "./held.js";
import { report, reportInput } from "./report.js";

const connection = document.getElementById("connection");
const state = document.getElementById("state");
const panels = document.getElementById("panels");

let sdk;
let client;
let attempts = 0;

function say(text, kind) {
  state.textContent = text;
  state.dataset.state = kind;
}

/** Commands can be given only while there is a client. */
function allowCommands(allowed) {
  for (const button of panels.querySelectorAll("[data-call], [data-feed]")) button.disabled = !allowed;
}

async function load() {
  sdk = await import("./sdk/browser.js");
  await sdk.init({ wasm: new URL("./synap.wasm", import.meta.url) });
}

/** Connects and asks the server something, so that a wrong address shows now. */
async function connect(address, key) {
  const attempt = ++attempts;
  const shown = withoutSecrets(address).address;
  say(`Connecting to ${shown}`, "busy");
  allowCommands(false);
  showTarget(address, key !== "");
  await stopAll();
  forget();
  await client?.close();
  client = undefined;
  let opened; // not the client yet: a later attempt may overtake this one
  const [keys, error] = await report(`connect ${shown}`, async () => {
    if (!sdk) await load();
    opened = await sdk.SynapClient.connect(address, key === "" ? {} : { apiKey: key });
    return opened.kv.dbsize();
  });
  if (error || attempt !== attempts) await opened?.close();
  if (attempt !== attempts) return;
  if (error) {
    say(`Not connected: ${error.code ?? error.name}`, "error");
    return;
  }
  client = opened;
  say(`Connected to ${shown}: ${times(keys, "key")}`, "ok");
  allowCommands(true);
}

connection.addEventListener("change", () => {
  document.getElementById("server").hidden = connection.elements.where.value !== "server";
});

connection.addEventListener("submit", (event) => {
  event.preventDefault();
  const { where, url, key } = connection.elements;
  if (where.value === "memory") connect("memory://", "");
  else connect(url.value.trim(), key.value);
});

tabs(panels.querySelector("[role=tablist]"), (tab) => {
  for (const panel of panels.querySelectorAll("[role=tabpanel]")) panel.hidden = panel.getAttribute("aria-labelledby") !== tab.id;
});

/** Reads the arguments of a command; undefined if a field is wrong. */
function argumentsOf(command, entry, form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  try {
    return entry.args(new Fields(form));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    error.field.setAttribute("aria-invalid", "true");
    error.field.focus();
    reportInput(command, error.message);
  }
}

async function perform(button, form) {
  const { call, feed } = button.dataset;
  const command = call ?? feed;
  const args = argumentsOf(command, (call ? calls : feeds)[command], form);
  if (!args || !client) return;
  if (feed) {
    toggle(button, client, command, args);
    return;
  }
  showCall(command, args);
  const { run, said } = calls[command];
  const by = client;
  const [value] = await report(command, () => run(by, args), said);
  if (command === "queue.consume" && value && by === client) hold(by, args.queue, value);
}

panels.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button]");
  if (button?.dataset.call) perform(button, button.form);
});

// Enter in a field is a click on the form's first button.
panels.addEventListener("submit", (event) => {
  event.preventDefault();
  perform(event.submitter ?? event.target.querySelector("[type=submit]"), event.target);
});

allowCommands(false);
connect("memory://", "");
