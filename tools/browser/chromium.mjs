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
        "--disable-component-update", "--disable-sync"],
    });
    await use(context);
    await context.close();
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

// The problems that axe-core finds, one for each element.
export async function accessibility(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.flatMap((v) => v.nodes.map((n) => ({ axe: v.id, impact: v.impact, html: n.html, why: n.failureSummary })));
}
