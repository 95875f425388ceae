// Where dashboards come from, and the Prometheus API that answers them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Each source is {name, api, now, boards: [{file, board}]}; now is in milliseconds.

// Those of go run ./test/boards at an address.
export async function simulated(url) {
  const index = await (await fetch(`${url}/index.json`)).json();
  return index.map(({ name, now, boards }) => ({
    name, now, api: `${url}/${name}`, boards: Object.entries(boards).map(([file, board]) => ({ file, board })),
  }));
}

// The dashboards of a folder, on a server that runs.
export function live(url, folder) {
  const boards = readdirSync(folder).filter((f) => f.endsWith(".json")).map((file) => ({ file, board: JSON.parse(readFileSync(join(folder, file), "utf8")) }));
  return [{ name: "live", api: url.replace(/\/$/, ""), boards, get now() { return Date.now(); } }];
}
