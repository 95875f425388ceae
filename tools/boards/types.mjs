// Holds dashboards to the TypeScript types of @grafana/schema: each is written down as a
// typed constant, of which the compiler refuses keys and values that the types do not have.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const here = fileURLToPath(new URL(".", import.meta.url));

const folder = join(here, "dist", "types");

// Where the types of each panel's options are, and which of them has custom field options.
const plugins = {
  stat: { module: "stat" }, gauge: { module: "gauge" }, bargauge: { module: "bargauge" }, text: { module: "text" },
  timeseries: { module: "timeseries", custom: true }, table: { module: "table", custom: true },
  heatmap: { module: "heatmap", custom: true },
  "state-timeline": { module: "statetimeline", custom: true }, "status-history": { module: "statushistory", custom: true },
};

// What annotations have of the Prometheus data source, whose types are not published.
const query = `export type Annotation = Loose<AnnotationQuery> & { expr?: string; step?: string; titleFormat?: string; textFormat?: string; tagKeys?: string };\n`;

// JSON has enumerations as texts, and panels have defaults of what is not there.
const loose = `export type Loose<T> = T extends string ? \`\${T}\` : T extends readonly (infer U)[] ? Loose<U>[] : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;\n`;

// Returns what is wrong with boards, which are {name, file, board}: a line each.
export function typeFaults(boards) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "loose.ts"), `import type { AnnotationQuery } from '@grafana/schema';\n${loose}${query}`);
  const at = new Map(); // where in a file a panel is
  const files = boards.map((b, i) => {
    const path = join(folder, `board${i}.ts`);
    const { text, lines } = typed(b.board);
    writeFileSync(path, text);
    at.set(path, { name: `${b.name}/${b.file}`, lines });
    return path;
  });
  const program = ts.createProgram(files, {
    strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: [],
  });
  return ts.getPreEmitDiagnostics(program).map((d) => {
    const line = d.file?.getLineAndCharacterOfPosition(d.start).line ?? 0;
    const place = at.get(d.file?.fileName);
    const panel = place?.lines.findLast((l) => l.line <= line);
    return `${place?.name ?? d.file?.fileName ?? "types"}: ${panel?.title ?? ""}: ${ts.flattenDiagnosticMessageText(d.messageText, " ").slice(0, 400)}`;
  });
}

function typed(board) {
  const text = ["import type { Dashboard } from '@grafana/schema';", "import type { Annotation, Loose } from './loose';"];
  const used = new Set(), lines = [];
  const panels = board.panels.flatMap((p) => [p, ...(p.panels ?? [])]).filter((p) => p.type !== "row");
  for (const { type } of panels) {
    const plugin = plugins[type];
    if (plugin && !used.has(type)) {
      used.add(type);
      const names = `Options as O${plugin.module}${plugin.custom ? `, FieldConfig as F${plugin.module}` : ""}`;
      text.push(`import type { ${names} } from '../../node_modules/@grafana/schema/dist/types/raw/composable/${plugin.module}/panelcfg/x/types.gen';`);
    }
  }
  const add = (title, statement) => {
    lines.push({ line: text.join("\n").split("\n").length, title });
    text.push(statement);
  };
  const { annotations, ...rest } = board;
  add("the dashboard", `export const board: Loose<Dashboard> = ${JSON.stringify(rest)};`);
  add("annotations", `export const annotations: { list?: Annotation[] } = ${JSON.stringify(annotations ?? {})};`);
  const seen = new Set();
  panels.forEach((p, i) => {
    const plugin = plugins[p.type], custom = p.fieldConfig?.defaults?.custom;
    const shape = JSON.stringify([p.type, p.options, custom]);
    if (!plugin || seen.has(shape)) {
      return;
    }
    seen.add(shape);
    add(`panel "${p.title}"`, `export const o${i}: Loose<O${plugin.module}> = ${JSON.stringify(p.options)};`);
    if (custom && plugin.custom) {
      add(`panel "${p.title}", fields`, `export const f${i}: Loose<F${plugin.module}> = ${JSON.stringify(custom)};`);
    }
  });
  return { text: `${text.join("\n")}\n`, lines };
}
