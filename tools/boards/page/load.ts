// From a panel to its fields: queries, transformations, field options, links.
import { applyFieldOverrides, type DataFrame, type Field, type FieldDisplay, FieldType, getFieldDisplayName, getFieldDisplayValues, type GrafanaTheme2, type ScopedVars, type TimeRange, transformDataFrame } from "@grafana/data";
import { lastValueFrom } from "rxjs";
import type { Mark } from "./annotations";
import { customDefaults, registryOf, unknownOptions } from "./known";
import { intervals, intervalVariables, type Prometheus, type Target } from "./prometheus";
import { substitute, substituteLink, type Variable } from "./variables";

export interface Context {
  prometheus: Prometheus;
  variables: Variable[];
  range: TimeRange;
  time: { from: string; to: string }; // as links have it
  theme: GrafanaTheme2;
  marks: Mark[]; // in every graph
}

// What is to be known of a panel without looking at it.
export interface Note {
  panel: number;
  type: string;
  title: string;
  unknown: string[];
  queries: { refId: string; expr: string; series: number; rows: number; visible: boolean }[];
  fields: string[];
  links: string[];
  empty: boolean;
  noValue?: string;
  judged?: string; // the colour of good or bad in which an empty panel is drawn
  error?: string;
}

export async function load(panel: any, width: number, context: Context): Promise<{ frames: DataFrame[]; note: Note }> {
  const title = substitute(panel.title ?? "", context.variables);
  const note: Note = {
    panel: panel.id, type: panel.type, title, unknown: unknownOptions(panel), queries: [], fields: [], links: [], empty: true, noValue: panel.fieldConfig?.defaults?.noValue,
  };
  try {
    const targets: Target[] = (panel.targets ?? []).filter((t: Target) => !t.hide);
    const i = intervals(context.range, width, panel.interval);
    const answers = await Promise.all(targets.map((t) => {
      const expr = substitute(t.expr, context.variables, intervalVariables(i));
      return context.prometheus.frames(t, expr, context.range, i.step, targets.length === 1);
    }));
    const seen = await visibleQueries(panel, answers, context);
    targets.forEach((t, n) => {
      const filled = answers[n].filter((f) => f.length > 0);
      note.queries.push({ refId: t.refId, expr: t.expr, series: filled.length, rows: filled.reduce((sum, f) => sum + f.length, 0), visible: seen.has(n) });
    });
    const frames = shown(panel, await fields(panel, answers.flat(), context));
    note.empty = !frames.some((f) => f.length > 0 && f.fields.length > 0);
    note.judged = note.empty ? judgement(panel, frames, context.theme) : undefined;
    note.fields = frames.flatMap((f) => values(f).filter((x) => !hidden(x)).map((x) => getFieldDisplayName(x, f, frames)));
    note.links = links(panel, frames, context);
    return { frames, note };
  } catch (error) {
    note.error = String(error);
    return { frames: [], note };
  }
}

export function fieldValues(panel: any, data: DataFrame[], theme: GrafanaTheme2): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: { values: false, calcs: [], ...panel.options.reduceOptions }, replaceVariables: (s: string) => s, theme, data, timeZone: "utc",
  });
}

// A colour that says good or bad, of a panel that prints "no value" as a value.
function judgement(panel: any, frames: DataFrame[], theme: GrafanaTheme2): string | undefined {
  if (panel.type !== "stat" && panel.type !== "gauge") {
    return undefined; // these are not drawn without data
  }
  const drawn = fieldValues({ ...panel, fieldConfig: { ...panel.fieldConfig, defaults: { ...panel.fieldConfig.defaults, thresholds: lowest(panel.fieldConfig.defaults.thresholds) } } }, frames, theme).map((v) => v.display.color);
  return ["green", "yellow", "orange", "red"].find((name) => drawn.includes(theme.visualization.getColorByName(name)));
}

async function fields(panel: any, raw: DataFrame[], context: Context): Promise<DataFrame[]> {
  let frames = raw;
  if (panel.transformations?.length) {
    frames = await lastValueFrom(transformDataFrame(panel.transformations, frames, { interpolate: (s: string) => s }));
  }
  const config = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const defaults = { ...config.defaults, thresholds: lowest(config.defaults.thresholds), custom: { ...customDefaults[panel.type], ...config.defaults.custom } };
  return applyFieldOverrides({
    data: frames, fieldConfig: { defaults, overrides: migrated(config.overrides) }, fieldConfigRegistry: registryOf(panel.type), theme: context.theme, timeZone: "utc",
    replaceVariables: (s: string, scoped?: ScopedVars) => substituteLink(s, context.variables, scoped, context.time),
  });
}

// The first threshold begins at minus infinity, which JSON has as null.
function lowest(thresholds: any): any {
  return thresholds && { ...thresholds, steps: thresholds.steps.map((s: any, i: number) => (i === 0 ? { ...s, value: -Infinity } : s)) };
}

// A hidden column as Grafana 12 and later have it: their table changes older dashboards so.
function migrated(overrides: any[]): any[] {
  const hide = { id: "custom.hideFrom", value: { viz: true, legend: false, tooltip: false } };
  return overrides.map((o) => ({
    ...o, properties: o.properties.map((p: any) => (p.id === "custom.hidden" && p.value ? hide : p.id === "thresholds" ? { ...p, value: lowest(p.value) } : p)),
  }));
}

// A table shows one frame at a time.
function shown(panel: any, frames: DataFrame[]): DataFrame[] {
  return panel.type === "table" ? frames.slice(panel.options?.frameIndex ?? 0).slice(0, 1) : frames;
}

function values(f: DataFrame): Field[] {
  return f.fields.filter((x) => x.type !== FieldType.time);
}

function hidden(x: Field): boolean {
  return x.config.custom?.hideFrom?.viz === true;
}

// The queries of which something arrives in a field that is seen, by their index: their
// values, or a label that no other query has. To find that out, both are replaced by marks.
async function visibleQueries(panel: any, answers: DataFrame[][], context: Context): Promise<Set<number>> {
  const mark = 1e9;
  const labels = answers.map((frames) => new Set(frames.flatMap((f) => f.fields.filter((x) => x.type === FieldType.string).map((x) => x.name))));
  const own = (n: number, label: string) => labels.every((other, i) => i === n || !other.has(label));
  const marked = answers.flatMap((frames, n) => frames.map((f) => ({
    ...f, fields: f.fields.map((x): Field => {
      const marks = x.type === FieldType.number || (x.type === FieldType.string && own(n, x.name));
      const value = x.type === FieldType.number ? mark + n : `mark ${mark + n}`;
      return { ...x, config: { ...x.config }, values: marks ? x.values.map(() => value) : x.values };
    }),
  })));
  const seen = new Set<number>();
  for (const f of shown(panel, await fields(panel, marked, context))) {
    for (const x of values(f).filter((v) => !hidden(v))) {
      for (const v of x.values) {
        const n = (typeof v === "number" ? v : Number(/^mark (\d+)$/.exec(v)?.[1])) - mark;
        n >= 0 && seen.add(n);
      }
    }
  }
  return seen;
}

// Every link of a panel as it resolves: of its header, and of each value.
function links(panel: any, frames: DataFrame[], context: Context): string[] {
  const found = new Set<string>((panel.links ?? []).map((l: any) => substituteLink(l.url, context.variables, undefined, context.time)));
  for (const f of frames) {
    for (const x of f.fields.filter((y) => y.config.links?.length && y.getLinks)) {
      for (let row = 0; row < Math.max(f.length, 1); row++) {
        x.getLinks!({ valueRowIndex: row }).forEach((l) => found.add(l.href));
      }
    }
  }
  return [...found];
}
