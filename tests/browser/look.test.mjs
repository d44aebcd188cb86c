// How the page looks and reads: sizes, contrast, names and the keyboard.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch } from "./chromium.mjs";
import { visit } from "./page.mjs";
import { root, startSite } from "./programs.mjs";

let browser, site;
const panels = ["Key-value", "Queues", "Streams", "Pub/Sub"];

before(async () => {
  [browser, site] = await Promise.all([launch(), startSite()]);
  mkdirSync(root + "build", { recursive: true });
});

after(async () => {
  await browser?.close();
  await site?.stop();
});

/** Fills every list of the page with something. */
async function use(visitor) {
  await visitor.state("ok");
  await visitor.panel("Pub/Sub");
  await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
  await visitor.click("Publish", "Publish", "pubsub.publish");
  await visitor.panel("Streams");
  await visitor.click("Room", "Get or create", "stream.get_or_create");
  await visitor.click("Append", "Append", "stream.publish");
  await visitor.click("Read and follow", "Follow", "stream.follow");
  await visitor.panel("Queues");
  await visitor.click("Queue", "Create", "queue.create");
  await visitor.click("Publish", "Publish", "queue.publish");
  await visitor.click("Consume", "Consume", "queue.consume");
  await visitor.panel("Key-value");
  await visitor.click("Watch", "Watch", "kv.watch");
  await visitor.click("Keys", "Set", "kv.set");
  await visitor.click("Keys", "Increment", "kv.incr", "error");
  await visitor.click("Keys", "Get", "kv.get");
  await visitor.feed("Watch", "John Doe");
}

const screenshot = (visitor, name) => visitor.page.screenshot({ path: `${root}build/${name}.png`, animations: "disabled" });

for (const [name, width, height] of [
  ["phone", 360, 740],
  ["desktop", 1280, 1000],
]) {
  test(`${name}: nothing is wider than the screen`, async () => {
    const visitor = await visit(browser, site, { viewport: { width, height }, deviceScaleFactor: name === "phone" ? 2 : 1 });
    await use(visitor);
    const long = "x".repeat(400);
    for (const panel of panels) {
      await visitor.panel(panel);
      assert.ok((await visitor.page.evaluate(() => document.documentElement.scrollWidth)) <= width, panel);
    }
    await visitor.panel("Key-value");
    await screenshot(visitor, `playground-${name}`);
    // Long values, and the longest lines of code.
    await visitor.fill("Keys", "Key", "user:" + long);
    await visitor.fill("Keys", "Value", long);
    await visitor.click("Keys", "Set", "kv.set");
    await visitor.click("Keys", "Get", "kv.get");
    await visitor.code("C");
    assert.ok((await visitor.page.evaluate(() => document.documentElement.scrollWidth)) <= width, "long values");
    await visitor.close();
  });
}

test("phone: the result stays in view while a command is given", async () => {
  const visitor = await visit(browser, site, { viewport: { width: 360, height: 740 } });
  await visitor.state("ok");
  await visitor.click("Keys", "Set", "kv.set");
  const box = await visitor.page.locator("#result").boundingBox();
  assert.ok(box.y > 0 && box.y + box.height <= 740, JSON.stringify(box));
  await visitor.close();
});

/**
 * The texts of the page whose contrast is below AA (WCAG 2.2, 1.4.3): 4.5 to 1,
 * or 3 to 1 where they are large. Runs in the page.
 */
function pale() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) && (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const backdrop = (element) => {
    for (; element; element = element.parentElement) {
      const color = rgba(getComputedStyle(element).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest(":disabled, noscript, option")) continue;
    checked++;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(rgba(style.color)), luminance(backdrop(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  return { found, checked };
}

for (const colorScheme of ["light", "dark"]) {
  test(`${colorScheme}: text stands out from what is behind it`, async () => {
    const visitor = await visit(browser, site, { colorScheme, reducedMotion: "reduce", viewport: { width: 1280, height: 1000 } });
    await use(visitor);
    await visitor.click("Keys", "Increment", "kv.incr", "error");
    for (const panel of panels) {
      await visitor.panel(panel);
      const { found, checked } = await visitor.page.evaluate(pale);
      assert.ok(checked > 30, `only ${checked} texts found`);
      assert.deepEqual(found, [], panel);
    }
    const page = await visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0] < 128);
    assert.equal(page, colorScheme === "dark");
    assert.equal(await visitor.page.evaluate(() => getComputedStyle(document.querySelector("button")).transitionDuration), "0s", "no motion where none is wanted");
    await visitor.close();
  });
}

test("everything that can be operated has a name, and the result is announced", async () => {
  const visitor = await visit(browser, site);
  await use(visitor);
  await visitor.page.getByLabel("A server").check();
  const nameless = await visitor.page.evaluate(() => {
    const name = (e) => e.getAttribute("aria-label") || e.labels?.[0]?.textContent || (e.matches("button, a") ? e.textContent : "");
    return [...document.querySelectorAll("button, a, input, select, textarea")].filter((e) => !name(e)?.trim()).map((e) => e.outerHTML);
  });
  assert.deepEqual(nameless, []);
  const live = visitor.page.locator("#result [aria-live=polite]");
  assert.match(await live.innerText(), /kv\.get\s+"John Doe"/);
  assert.equal(await visitor.page.locator("h1").count(), 1);
  await visitor.close();
});

test("the keyboard alone is enough", async () => {
  const visitor = await visit(browser, site);
  await visitor.state("ok");
  const { page } = visitor;
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the commands");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-kv");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-pubsub");
  assert.ok(await page.locator("#panel-pubsub").isVisible());
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab"); // into the panel: the queue's name
  await page.keyboard.type("by-keyboard");
  await page.keyboard.press("Enter");
  assert.match(await visitor.result("queue.create"), /The queue exists/);
  assert.match(await page.locator("#program").textContent(), /queue\.create\("by-keyboard"\)/);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "the focus is seen");
  await visitor.close();
});
