// What looks at pages share: a Chromium with a profile of its own, and what axe-core
// says of a page.
import { mkdtempSync, rmSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Runs use(context) in a Chromium that is closed afterwards.
export async function withChromium(use) {
  const profile = mkdtempSync(join(tmpdir(), "upheld-look-"));
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
        "--process-per-site", "--renderer-process-limit=1", "--in-process-gpu"], // processes cost more than the pages
    });
    await use(context);
    await context.close();
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

// Which rules of axe-core are asked: all, those about colours, or all others. What a page's
// colours are does not depend on its width, and the rest not on its colours.
// What axe-core would load before is for rules about audio, of which there is none.
const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const colours = "color-contrast";
export const rules = {
  all: { runOnly: standards },
  colours: { runOnly: { type: "rule", values: [colours] } },
  others: { runOnly: standards, rules: { [colours]: { enabled: false } } },
};

// The problems that axe-core finds by these rules, one for each element.
export async function accessibility(page, asked = rules.all) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const { violations } = await page.evaluate((asked) => axe.run(document, { ...asked, preload: false, resultTypes: ["violations"] }), asked);
  return violations.flatMap((v) => v.nodes.map((n) => ({ axe: v.id, impact: v.impact, html: n.html, why: n.failureSummary })));
}
