// What a visitor of the playground sees and does.
import assert from "node:assert/strict";

/** Opens the playground in a tab of its own. */
export async function visit(browser, site, { path = "", ...options } = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(8000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(site.address + path);
  return new Visitor(page, complaints);
}

export class Visitor {
  constructor(page, complaints) {
    this.page = page;
    /** Errors and warnings in the browser's console. */
    this.complaints = complaints;
  }

  /** Waits until the state is of a kind (ok, error) and returns its text. */
  async state(kind) {
    await this.page.locator(`#state[data-state=${kind}]`).waitFor();
    return this.page.locator("#state").textContent();
  }

  async connect(address, key = "") {
    const { page } = this;
    await this.forget();
    await page.evaluate(() => delete document.getElementById("state").dataset.state);
    await page.getByLabel("A server").check();
    await page.getByLabel("Address").fill(address);
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Connect" }).click();
  }

  panel(name) {
    return this.page.getByRole("tab", { name, exact: true }).click();
  }

  /** Part of the panel that is shown, by its heading. */
  part(name) {
    return this.page.getByRole("form", { name, exact: true });
  }

  fill(part, label, text) {
    return this.part(part).getByLabel(label).fill(text);
  }

  /** Clicks a button and waits for the result of its command. */
  async click(part, button, command, outcome = "ok") {
    await this.forget();
    await this.part(part).getByRole("button", { name: button, exact: true }).click();
    return this.result(command, outcome);
  }

  /** Takes the last result away, so that it is not taken for the next. */
  forget() {
    return this.page.evaluate(() => (document.querySelector("#result .call").textContent = ""));
  }

  async result(command, outcome = "ok") {
    const card = this.page.locator("#result");
    await card.locator(".call", { hasText: command }).waitFor();
    await this.page.locator(`#result[data-outcome=ok], #result[data-outcome=error]`).waitFor();
    const text = await card.locator(".outcome").innerText();
    assert.equal(await card.getAttribute("data-outcome"), outcome, `${command}: ${text}`);
    return text;
  }

  /** Waits until a feed has an item with a text and returns its items, newest first. */
  async feed(part, text) {
    const items = this.part(part).locator(".feed > li");
    await items.filter({ hasText: text }).first().waitFor();
    return items.allInnerTexts();
  }

  async code(language) {
    await this.page.getByRole("tab", { name: language, exact: true }).click();
    return this.page.locator("#program").textContent();
  }

  close() {
    return this.page.context().close();
  }
}
