// Makes dist/app.js of page/: node build.mjs
import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

await build({
  absWorkingDir: here,
  entryPoints: ["page/app.tsx"], outfile: "dist/app.js", bundle: true, minify: true, format: "esm", target: "es2022", jsx: "automatic", logLevel: "warning",
  loader: { ".svg": "text", ".woff2": "empty", ".woff": "empty", ".ttf": "empty", ".png": "empty" },
  define: { "process.env.NODE_ENV": '"production"', global: "window" },
  logOverride: { "direct-eval": "silent" },
});
copyFileSync(here + "page/index.html", here + "dist/index.html");
