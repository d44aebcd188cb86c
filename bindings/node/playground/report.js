// The result card and the list of calls.
import { h, prepend } from "./dom.js";
import { showDuration, showReply } from "./format.js";

const card = document.getElementById("result");
const title = card.querySelector(".call");
const outcome = card.querySelector(".outcome");
const log = document.querySelector("#log .feed");
document.getElementById("clear").addEventListener("click", () => log.replaceChildren());

let last = 0; // the number of the call that the card shows

function put(number, state, name, ...content) {
  if (number < last) return; // a later click has been answered already
  last = number;
  card.dataset.outcome = state;
  title.textContent = name;
  outcome.replaceChildren(...content);
}

/** A typed error: code, message, and what it means for the caller. */
export function errorContent(error) {
  const code = error.code ?? error.name;
  const facts = [];
  if (error.statusCode) facts.push(h("li", {}, `status ${error.statusCode}`));
  if (error.maybeApplied) facts.push(h("li", { class: "warn" }, "may have been applied"));
  if (error.retryable) facts.push(h("li", {}, "can be tried again"));
  return [
    h("p", { class: "error-code" }, String(code)),
    h("p", { class: "error-message" }, error.message),
    ...(facts.length ? [h("ul", { class: "facts" }, ...facts)] : []),
  ];
}

let count = 0;

/**
 * Runs something that may fail and reports it: returns [value, undefined] or
 * [undefined, error]. said puts the value in a sentence; without it only the
 * list of calls gets an entry for success.
 */
export async function report(name, run, said) {
  const number = ++count;
  const start = performance.now();
  const waiting = setTimeout(() => put(number, "waiting", name, h("p", { class: "hint" }, "Waiting for the answer")), 200);
  let value, error;
  try {
    value = await run();
  } catch (thrown) {
    error = thrown;
  }
  clearTimeout(waiting);
  const took = performance.now() - start;
  if (error) {
    put(number, "error", name, ...errorContent(error));
  } else if (said) {
    const sentence = said(value);
    const content = sentence ? [h("p", {}, sentence)] : [];
    if (value !== undefined && value !== null) content.push(h("pre", { class: "value", role: "group", tabindex: "0", "aria-label": "Reply" }, showReply(value)));
    put(number, "ok", name, ...content);
  }
  entry(name, error, showDuration(took));
  return [value, error];
}

/** Reports an error that no call had, such as that of a subscription. */
export function reportError(name, error) {
  put(++count, "error", name, ...errorContent(error));
  entry(name, error, "");
}

/** Reports input that was not sent. */
export function reportInput(name, message) {
  put(++count, "error", name, h("p", { class: "error-code" }, "Not sent"), h("p", { class: "error-message" }, message));
}

function entry(name, error, took) {
  const outcome = error ? String(error.code ?? error.name) : "ok";
  prepend(log, h("li", { "data-outcome": error ? "error" : "ok" }, h("span", { class: "name" }, name), h("span", { class: "outcome" }, outcome), h("span", { class: "took" }, took)), 100);
}
