// Looks at reports in a real Chromium, wide and narrow, light, dark and printed: nothing
// may offend axe-core, stick out sideways, ask for another file or use a script, and
// every figure must be the one that the JSON has at its path.
//
//   node report.mjs [--shots DIR] [--audit NAME...] [--every] NAME=REPORT.html=REPORT.json...
//
// axe-core takes long on long pages, and most pages have the same parts: it looks at
// those named with --audit. A report is loaded once and then changes its width, colours
// and medium; with --every it is loaded for each, and axe-core judges all of it again.
// Prints one JSON line for each problem and exits with 1 if there are any. With --shots
// it also writes NAME-WIDTH-SCHEME.png and NAME.pdf.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { accessibility, rules, withChromium } from "./chromium.mjs";

const { values, positionals } = parseArgs({ options: { shots: { type: "string" }, audit: { type: "string", multiple: true, default: [] }, every: { type: "boolean", default: false } }, allowPositionals: true });
const problems = [];
const report = (problem) => {
  problems.push(problem);
  console.log(JSON.stringify(problem));
};
const a4 = 673; // the width of a printed page between its margins, in CSS pixels

async function open(context, url, where) {
  const page = await context.newPage();
  page.on("console", (m) => report({ ...where, console: m.text() }));
  page.on("pageerror", (e) => report({ ...where, script: String(e) }));
  page.on("dialog", (d) => { report({ ...where, dialog: d.message() }); d.dismiss(); });
  page.on("request", (r) => { if (r.url().split("#")[0] !== url) report({ ...where, asksFor: r.url() }); });
  return page;
}

async function look(page, where, asked) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 1) report({ ...where, sticksOutBy: over }); // both are whole pixels of what is not: one is rounding
  if (asked && values.audit.includes(where.page)) for (const problem of await accessibility(page, asked)) report({ ...where, ...problem });
  if (values.shots && where.media === "screen") await page.screenshot({ path: join(values.shots, `${where.page}-${where.width}-${where.scheme}.png`), fullPage: true });
}

// A printed page must hold every table in its width, also while the screen is dark.
async function print(page, where) {
  await look(page, where);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if (ground !== "rgb(255, 255, 255)") report({ ...where, ground });
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true, ...(values.shots && { path: join(values.shots, `${where.page}.pdf`) }) });
  if (pdf.length < 10000) report({ ...where, pdf: pdf.length });
}

async function figures(page, where, json) {
  const { data, scripts, heading } = await page.evaluate(() => ({
    data: [...document.querySelectorAll("data")].map((d) => ({ path: d.dataset.path, value: d.value, text: d.textContent })),
    scripts: document.scripts.length, heading: document.querySelector("h1").textContent,
  }));
  if (scripts) report({ ...where, scripts });
  const of = JSON.parse(readFileSync(json, "utf8"));
  const seen = new Set();
  for (const d of data) {
    seen.add(d.path);
    const value = d.path.split(".").reduce((at, key) => at?.[key], of);
    if (value !== d.value) report({ ...where, path: d.path, value: d.value, json: value });
    const wrong = disagrees(d, of);
    if (wrong) report({ ...where, ...d, wrong });
  }
  const achieved = of.levels.flatMap((l, i) => (l.achieved ? [`levels.${i}.achieved`] : []));
  const outages = of.levels.flatMap((l, i) => l.outages.map((_, j) => `levels.${i}.outages.${j}.counted`));
  for (const path of [...achieved, ...outages]) if (!seen.has(path)) report({ ...where, missing: path });
  const first = of.levels.find((l) => l.verdict === of.verdict && l.achieved);
  if (["met", "breached"].includes(of.verdict) && of.levels.length < 4 && first && /available \d/.test(of.summary) && !heading.includes(first.achieved.slice(0, 5))) report({ ...where, heading });
}

// Says how a text differs from the exact value that it stands for.
function disagrees({ path, value, text }, of) {
  const [, index, key] = path.match(/^levels\.(\d+)\.(\w+)/) || [];
  const plain = text.replace(/[\s\u202f\u00a0]/g, "");
  if (/^<1/.test(plain)) return Number(value) > 0 && Number(value) < 1 ? "" : "not below 1";
  const time = plain.match(/^(?:(\d+)h)?(?:(\d+)min)?(?:(\d+)s)?$/);
  if (time && plain) {
    const ownUnit = index !== undefined && !["outages", "blame"].includes(key) && of.levels[index].unit === "minutes";
    const shown = 3600 * (time[1] || 0) + 60 * (time[2] || 0) + 1 * (time[3] || 0);
    const off = Number(value) * (ownUnit ? 60 : 1) - shown;
    return off >= 0 && off < (time[1] >= 100 ? 60 : 1) ? "" : `shows ${shown} s`;
  }
  const digits = plain.match(/^[0-9.]+/)?.[0];
  return digits && (value === digits || (value.startsWith(digits) && value.includes("."))) ? "" : "other digits";
}

if (values.shots) mkdirSync(values.shots, { recursive: true });

// What is looked at, one after the other. Narrow pages have the same elements and colours.
const views = [
  { width: 1280, asked: rules.all, compared: true },
  { width: 1280, scheme: "dark", asked: values.every ? rules.all : rules.colours },
  { width: 390 },
  { width: a4, scheme: "dark", media: "print" },
];

await withChromium(async (context) => {
  for (const arg of positionals) {
    const [name, html, json] = arg.split("=");
    const url = pathToFileURL(html).href;
    for (const each of values.every ? views.map((v) => [v]) : [views]) {
      const where = { page: name };
      const page = await open(context, url, where);
      for (const { width, scheme = "light", media = "screen", asked, compared } of each) {
        Object.assign(where, { width, scheme, media });
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme, media });
        if (page.url() !== url) await page.goto(url, { waitUntil: "load" });
        await (media === "print" ? print(page, where) : look(page, where, asked));
        if (compared && json) await figures(page, where, json);
      }
      await page.close();
    }
  }
});
process.exitCode = problems.length ? 1 : 0;
