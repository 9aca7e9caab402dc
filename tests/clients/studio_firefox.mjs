// Somebody uses the studio in Firefox. Prints what they saw.

import puppeteer from "puppeteer-core";

const [executablePath, url] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
const page = await browser.newPage();
await page.setViewport({ width: 1280, height: 900 });
const faults = [];
page.on("console", (said) => ["error", "warn"].includes(said.type()) && faults.push(said.text()));
page.on("pageerror", (error) => faults.push(String(error)));

const text = (selector) => page.$eval(selector, (one) => one.textContent);
const count = (selector) => page.$$eval(selector, (all) => all.length);
const fill = (selector, value) =>
  page.$eval(
    selector,
    (field, given) => {
      field.value = given;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    },
    value,
  );

// An answer may be over before it is looked for: what is waited for is what stays.
async function ask(question) {
  await page.type("#question", question);
  await page.keyboard.press("Enter");
  await page.waitForSelector("body:not(.speaking) #talk .log > li:last-child .answer:not(:empty)");
}

async function dragged(selector, ...points) {
  const box = await (await page.$(selector)).boundingBox();
  const [first, ...others] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...point, { steps: 10 });
  await page.mouse.up();
}

const seen = {};
await page.goto(url);
await page.waitForSelector("body:not(.starting)");
seen.sliders = await count("#sliders input");
await fill("#intensity-anger", "1");
seen.mood = await text("#felt");
await page.click("#drawing > summary");
await fill("#max-tokens", "40");
await page.click("#drawing > summary");
await ask("Tell me about bread.");
seen.answer = await text("#talk .answer");
seen.coloured = await count("#talk .answer .felt");
await page.hover("#talk .answer .felt");
seen.note = await text("[role=tooltip]");
await page.click("#schedule-part > summary");
await page.select("#schedule select", "joy");
await dragged(".schedule", [0.1, 0.5], [0.4, 0.1], [0.8, 0.5]);
seen.points = await count(".schedule circle");
await page.click("#schedule [aria-label='Play on the last question']");
await page.waitForSelector("body:not(.speaking)");
await page.waitForSelector("#talk .turner:not([hidden])");
seen.ways = await text("#talk .turner > span");
await page.reload();
await page.waitForSelector("body:not(.starting)");
await page.click("#talk .turner button");
seen.again = await text("#talk .answer");
await page.setViewport({ width: 390, height: 844 });
await page.click("#mood-part > summary");
await page.waitForSelector("#mood-done");
await page.click("#mood-done");
seen.width = await page.evaluate(() => document.scrollingElement.scrollWidth);
await browser.close();
console.log(JSON.stringify({ ...seen, faults }));
