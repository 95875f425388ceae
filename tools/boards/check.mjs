// Checks dashboards without Grafana; exits with 1 if it finds a fault.
//   node check.mjs --simulated http://127.0.0.1:PORT            those of go run ./test/boards
//   node check.mjs --live http://127.0.0.1:9797 --folder DIR    generated ones, on a server
//   --only NAME[,NAME]   these sources, as "shop"
//   --verbose            what each panel reported
import { parseArgs } from "node:util";
import { withChromium } from "./chromium.mjs";
import { faultsOf } from "./faults.mjs";
import { withServer } from "./server.mjs";
import { live, simulated } from "./sources.mjs";
import { typeFaults } from "./types.mjs";

const { values: flags } = parseArgs({
  options: {
    simulated: { type: "string" }, live: { type: "string" }, folder: { type: "string" }, only: { type: "string" }, verbose: { type: "boolean" },
  },
});

const all = flags.simulated ? await simulated(flags.simulated) : live(flags.live, flags.folder);
const only = flags.only?.split(",");
const sources = all.filter((s) => !only || only.includes(s.name));
const faults = typeFaults(sources.flatMap((s) => s.boards.map((b) => ({ name: s.name, ...b }))));
const counts = { boards: 0, panels: 0, queries: 0, silent: 0 };

await withServer(Object.fromEntries(sources.map((s) => [s.name, s.api])), (url) => withChromium(async (context) => {
  const page = await context.newPage();
  const where = { now: "the page" };
  page.on("pageerror", (error) => faults.push(`${where.now}: ${error}`));
  await page.goto(url);
  await page.waitForFunction(() => window.draw);
  for (const source of sources) {
    const uids = new Set(source.boards.map((b) => b.board.uid));
    for (const { file, board } of source.boards) {
      counts.boards++;
      for await (const { chosen, report } of drawings(page, { board, prometheus: `/prometheus/${source.name}`, now: source.now })) {
        where.now = [`${source.name}/${file}`, ...Object.values(chosen).flat()].join(" ");
        faults.push(...faultsOf(report, uids).map((f) => `${where.now}: ${f}`));
        counts.panels += report.panels.length;
        const queries = report.panels.flatMap((p) => p.queries);
        counts.queries += queries.length;
        counts.silent += queries.filter((q) => q.rows === 0).length;
        if (flags.verbose) {
          print(where.now, report);
        }
      }
    }
  }
}));

// Draws a board once for each choice that its variables of one value offer: the board of
// a level for each level.
async function* drawings(page, request, chosen = {}) {
  const report = await page.evaluate((r) => window.draw(r), { ...request, variables: chosen });
  const next = report.variables.find((v) => v.one && !(v.name in chosen) && v.options.length > 1);
  if (!next) {
    yield { chosen, report };
    return;
  }
  for (const value of next.options) {
    yield* drawings(page, request, { ...chosen, [next.name]: [value] });
  }
}

function print(name, report) {
  console.log(`\n${name}: ${report.variables.map((v) => `${v.name} of ${v.options.length}`).join(", ")}`);
  console.log(`  annotations: ${report.annotations.map((a) => `${a.name} ${a.marks}`).join(", ")}`);
  for (const p of report.panels) {
    const queries = p.queries.map((q) => `${q.refId} ${q.series} series ${q.rows} rows`).join(", ");
    console.log(`  ${p.panel} ${p.type} "${p.title}": ${p.error ?? queries}; fields ${p.fields.slice(0, 12).join(", ")}${p.links.length ? `; links ${p.links.slice(0, 3).join(" ")}` : ""}`);
  }
}

// One mistake in the generator is in many dashboards: it is printed once.
const alike = new Map();
for (const f of faults) {
  const what = f.replace(/^[^:]*: (panel \d+ )?/, "");
  alike.set(what, [...(alike.get(what) ?? []), f]);
}
for (const [first, ...others] of alike.values()) {
  console.log(first + (others.length ? ` (and in ${others.length} more places)` : ""));
}
console.log(`${counts.boards} dashboards, ${counts.panels} panels, ${counts.queries} queries of which ${counts.silent} found nothing: ${faults.length} faults`);
process.exitCode = faults.length ? 1 : 0;
