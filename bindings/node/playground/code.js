// The card with the code of the last click.
import { h, tabs } from "./dom.js";
import { withoutSecrets } from "./format.js";
import { languages, program } from "./snippets/index.js";

const list = document.querySelector("#code .tabs");
const pane = document.getElementById("program");
const note = document.getElementById("program-note");
const copy = document.getElementById("copy");

let language = languages[0];
let target = { address: "memory://", key: false };
let call = { command: "kv.set", args: { key: "user:1", value: "John Doe" } };

for (const l of languages) {
  list.append(h("button", { role: "tab", id: "language-" + l.id, type: "button", "aria-controls": "program", "aria-selected": String(l === language), ...(l === language ? {} : { tabindex: "-1" }) }, l.name));
}

tabs(list, (tab) => {
  language = languages.find((l) => tab.id === "language-" + l.id);
  render();
});

function render() {
  const { address, secret } = withoutSecrets(target.address);
  pane.setAttribute("aria-labelledby", "language-" + language.id);
  pane.firstElementChild.textContent = program(language, { url: address, secret: secret || target.key }, call);
  note.textContent = address.startsWith("memory:") ? "memory:// is a store inside one program: this one starts with its own, empty." : "";
}

/** Where the code connects to; key says whether an API key is used. */
export function showTarget(address, key) {
  target = { address, key };
  render();
}

export function showCall(command, args) {
  call = { command, args };
  render();
}

copy.addEventListener("click", async () => {
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(pane.textContent);
  } catch {
    getSelection().selectAllChildren(pane); // no clipboard without https
    said = "Selected";
  }
  copy.textContent = said;
  setTimeout(() => (copy.textContent = "Copy"), 1500);
});

render();
