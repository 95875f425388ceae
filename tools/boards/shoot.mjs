// Takes a picture of a dashboard.
//   node shoot.mjs --live URL --folder DIR --board FILE --out FILE.png
//   --from now-6h --theme dark --width 1400 --open 0,2 (rows to unfold; none by default)
//   --var service=orders (may be repeated) --height 900 (cut off below)
import { parseArgs } from "node:util";
import { withChromium } from "./chromium.mjs";
import { withServer } from "./server.mjs";
import { live, simulated } from "./sources.mjs";

const text = { type: "string" };
const { values: flags } = parseArgs({
  options: {
    live: text, folder: text, simulated: text, only: text, board: text, out: text, from: text, theme: text, open: text, width: { type: "string", default: "1400" },
    height: text, var: { type: "string", multiple: true, default: [] },
  },
});

const sources = flags.simulated ? (await simulated(flags.simulated)).filter((s) => s.name === flags.only) : live(flags.live, flags.folder);
const source = sources[0];
const found = source?.boards.find((b) => b.file === flags.board);
if (!found) {
  throw new Error(`there is no dashboard ${flags.board}; there is ${source?.boards.map((b) => b.file).join(", ")}`);
}
const variables = {};
for (const [name, value] of flags.var.map((v) => v.split("="))) {
  variables[name] = [...(variables[name] ?? []), value];
}
const width = Number(flags.width);
const request = {
  board: found.board, prometheus: `/prometheus/${source.name}`, now: source.now, from: flags.from, theme: flags.theme, width, variables,
  open: (flags.open ?? "").split(",").filter(Boolean).map(Number),
};

await withServer({ [source.name]: source.api }, (url) => withChromium(async (context) => {
  const page = await context.newPage();
  await page.setViewportSize({ width, height: 3000 });
  await page.goto(url);
  await page.waitForFunction(() => window.draw);
  await page.evaluate((r) => window.draw(r), request);
  await page.waitForTimeout(1000); // tables measure themselves
  const whole = await page.evaluate(() => Math.ceil(document.getElementById("grid").getBoundingClientRect().bottom));
  await page.screenshot({ path: flags.out, clip: { x: 0, y: 0, width, height: Math.min(whole, Number(flags.height ?? whole)) } });
}));
