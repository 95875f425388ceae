// Looks at pages in a real Chromium, wide and narrow, light and dark: nothing
// may offend axe-core, nothing may stick out sideways, the console must stay
// silent (which also proves that the content security policy fits the pages),
// and the script must keep them fresh.
//
//   node look.mjs [--shots DIR] [--still] [--once] [--every] NAME=URL...
//
// With --still pages have no script, and are printed too. With --once each is looked at
// wide and light only, and not renewed. A page is loaded once, wide and light, and then
// changes its width and colours, which axe-core judges once each; with --every it is
// loaded for each width with each scheme, and all is judged again.
//
// Prints one JSON line for each problem and exits with 1 if there are any. With
// --shots it also writes NAME-WIDTH-SCHEME.png.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { accessibility, rules, withChromium } from "./chromium.mjs";

const { values, positionals } = parseArgs({ options: { shots: { type: "string" }, still: { type: "boolean", default: false }, once: { type: "boolean", default: false }, every: { type: "boolean", default: false } }, allowPositionals: true });
const problems = [];
const report = (problem) => {
  problems.push(problem);
  console.log(JSON.stringify(problem));
};

// The widths and colour schemes, and the rules of axe-core that are asked there.
const views = [
  { width: 1280, scheme: "light", asked: rules.all },
  { width: 1280, scheme: "dark", asked: rules.colours },
  { width: 390, scheme: "light", asked: rules.others },
  { width: 390, scheme: "dark" },
].slice(0, values.once ? 1 : 4);

// Looks at one page in each of the views, one after the other.
async function look(context, name, url, views) {
  const where = { page: name };
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
  for (const [i, { width, scheme, asked }] of views.entries()) {
    Object.assign(where, { width, scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme, media: "screen" });
    if (i === 0) await page.goto(url, { waitUntil: "load" });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) report({ ...where, sticksOutBy: over });
    if (asked) for (const problem of await accessibility(page, asked)) report({ ...where, ...problem });
    if (values.shots) {
      await page.screenshot({ path: join(values.shots, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
    if (width === 1280 && scheme === "light" && !values.once) await (values.still ? stillness(page, where) : renewal(page, where));
  }
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
    for (const each of values.every ? views.map((v) => [{ ...v, asked: rules.all }]) : [views]) await look(context, name, url, each);
  }
});
process.exitCode = problems.length ? 1 : 0;
