// Looks at pages in a real Chromium, wide and narrow, light and dark: nothing
// may offend axe-core, nothing may stick out sideways, the console must stay
// silent (which also proves that the content security policy fits the pages),
// and the script must keep them fresh.
//
//   node look.mjs [--shots DIR] [--still] [--once] NAME=URL...
//
// With --still pages have no script, and are printed too. With --once each is looked at
// wide and light only, and not renewed.
//
// Prints one JSON line for each problem and exits with 1 if there are any. With
// --shots it also writes NAME-WIDTH-SCHEME.png.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { accessibility, withChromium } from "./chromium.mjs";

const { values, positionals } = parseArgs({ options: { shots: { type: "string" }, still: { type: "boolean", default: false }, once: { type: "boolean", default: false } }, allowPositionals: true });
const problems = [];
const report = (problem) => {
  problems.push(problem);
  console.log(JSON.stringify(problem));
};

async function look(context, name, url, width, scheme) {
  const where = { page: name, width, scheme };
  const page = await context.newPage();
  page.on("console", (m) => {
    const expected = m.text().startsWith("Failed to load resource") && m.location().url === url; // an error page is one
    if (["error", "warning"].includes(m.type()) && !expected) report({ ...where, console: m.text() });
  });
  page.on("pageerror", (e) => report({ ...where, script: String(e) }));
  page.on("request", (r) => {
    if (new URL(r.url()).origin !== new URL(url).origin) report({ ...where, foreign: r.url() });
  });
  page.on("response", (r) => {
    if (r.status() >= 400 && r.url() !== url) report({ ...where, failed: r.url(), status: r.status() });
  });
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(url, { waitUntil: "load" });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) report({ ...where, sticksOutBy: over });
  for (const problem of await accessibility(page)) report({ ...where, ...problem });
  if (values.shots) {
    await page.screenshot({ path: join(values.shots, `${name}-${width}-${scheme}.png`), fullPage: true });
  }
  if (width === 1280 && scheme === "light" && !values.once) await (values.still ? stillness(page, where) : renewal(page, where));
  await page.close();
}

// Without a script the page must be whole, and on paper dark on white within the margins.
async function stillness(page, where) {
  const scripts = await page.evaluate(() => document.scripts.length);
  if (scripts > 0) report({ ...where, scripts });
  const a4 = 673; // between its margins, in CSS pixels
  await page.setViewportSize({ width: a4, height: 900 });
  await page.emulateMedia({ colorScheme: "dark", media: "print" });
  const paper = await page.evaluate(() => ({ over: document.documentElement.scrollWidth - innerWidth, ground: getComputedStyle(document.body).backgroundColor }));
  if (paper.over > 0 || paper.ground !== "rgb(255, 255, 255)") report({ ...where, paper });
  if (values.shots) await page.screenshot({ path: join(values.shots, `${where.page}-print.png`), fullPage: true });
}

// The script must renew the content, keep the keyboard where it is, and stop
// when told to.
async function renewal(page, where) {
  const mark = () => page.evaluate(() => { document.querySelector("main h1").dataset.old = "yes"; });
  const gone = (timeout) => page.waitForFunction(() => !document.querySelector("main h1").dataset.old, null, { timeout, polling: 100 })
    .then(() => true, () => false);
  const every = await page.evaluate(() => Number(document.body.dataset.refresh));
  const focused = () => page.evaluate(() => document.activeElement.outerHTML);
  await page.evaluate(() => document.querySelector("main a")?.focus());
  const before = await focused();
  await mark();
  if (!(await gone(10 * every + 5000))) report({ ...where, renewal: "the content is not renewed" });
  if ((await focused()) !== before) report({ ...where, renewal: "the focus moved", before, after: await focused() });
  await page.click("#pause");
  await mark();
  if (await gone(3 * every)) report({ ...where, renewal: "the content is renewed although updates are paused" });
}

if (values.shots) mkdirSync(values.shots, { recursive: true });
await withChromium(async (context) => {
  for (const arg of positionals) {
    const cut = arg.indexOf("=");
    const [name, url] = [arg.slice(0, cut), arg.slice(cut + 1)];
    for (const width of values.once ? [1280] : [1280, 390]) {
      for (const scheme of values.once ? ["light"] : ["light", "dark"]) await look(context, name, url, width, scheme);
    }
  }
});
process.exitCode = problems.length ? 1 : 0;
