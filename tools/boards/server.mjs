// Serves the page of dist/ on the loopback, and passes /prometheus/NAME/api/ on to the
// Prometheus API of that name.
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

const types = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json", ".svg": "image/svg+xml" };

// Calls use(url) with the address of a server that is closed afterwards.
export async function withServer(apis, use) {
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url, "http://localhost");
    const [, api, rest] = /^\/prometheus\/([^/]+)(\/api\/.*)$/.exec(req.url) ?? [];
    return api in apis ? pass(apis[api] + rest, res) : file(pathname, res);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function pass(url, res) {
  const failed = (error) => res.writeHead(502).end(JSON.stringify({ status: "error", error: String(error) }));
  request(url, (answer) => {
    res.writeHead(answer.statusCode, { "content-type": answer.headers["content-type"] ?? "text/plain" });
    answer.pipe(res);
  }).on("error", failed).end();
}

async function file(pathname, res) {
  const folder = pathname.startsWith("/public/") ? "node_modules/@grafana/ui/dist" : "dist";
  const path = join(here, folder, pathname === "/" ? "index.html" : normalize(pathname));
  try {
    const content = await readFile(path);
    res.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(content);
  } catch {
    res.writeHead(404).end("not found");
  }
}
