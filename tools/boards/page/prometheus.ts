// Asks a Prometheus API as Grafana's data source does, and makes data frames of the answers.
import { type DataFrame, type Field, FieldType, rangeUtil, type TimeRange } from "@grafana/data";

export interface Target {
  refId: string;
  expr: string;
  instant?: boolean;
  format?: string;
  legendFormat?: string;
  hide?: boolean;
}

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

// Seconds between scrapes, as the data source assumes unless it is configured.
const SCRAPE = 15;

export class Prometheus {
  constructor(private readonly path: string) {}

  async call(what: string, params: Record<string, string>): Promise<any> {
    const answer = await fetch(`${this.path}/api/v1/${what}?${new URLSearchParams(params)}`);
    const body = await answer.json();
    if (body.status !== "success") {
      throw new Error(body.error ?? answer.statusText);
    }
    return body.data;
  }

  // The frames of a query: with the format table one with a column for each label, else
  // one for each series.
  async frames(target: Target, expr: string, range: TimeRange, step: number, alone: boolean): Promise<DataFrame[]> {
    const series = await this.series(target, expr, range, step);
    if (target.format === "table") {
      return [table(target, series, alone)];
    }
    if (series.length === 0) {
      return [{ refId: target.refId, fields: [], length: 0 }];
    }
    return series.map((s) => frame(target, s, step));
  }

  private async series(target: Target, expr: string, range: TimeRange, step: number): Promise<Series[]> {
    if (target.instant) {
      const data = await this.call("query", { query: expr, time: String(range.to.valueOf() / 1000) });
      return data.resultType === "scalar" ? [{ metric: {}, value: data.result }] : data.result;
    }
    const aligned = (ms: number) => String(Math.floor(ms / 1000 / step) * step);
    const span = { start: aligned(range.from.valueOf()), end: aligned(range.to.valueOf()) };
    return (await this.call("query_range", { query: expr, ...span, step: String(step) })).result;
  }
}

export interface Intervals {
  step: number; // seconds
  rate: number;
  range: number;
}

// The step of a range query, and the variables that depend on it.
export function intervals(range: TimeRange, width: number, minInterval?: string): Intervals {
  const low = rangeUtil.intervalToMs(minInterval || `${SCRAPE}s`);
  const { intervalMs } = rangeUtil.calculateInterval(range, Math.round(width), `${low}ms`);
  const seconds = (range.to.valueOf() - range.from.valueOf()) / 1000;
  const step = Math.max(intervalMs / 1000, seconds / 11000, 1);
  return { step, rate: Math.max(step + SCRAPE, 4 * SCRAPE), range: Math.round(seconds) };
}

export function intervalVariables(i: Intervals): Record<string, string> {
  return {
    __interval: `${i.step}s`, __interval_ms: `${i.step * 1000}`, __rate_interval: `${i.rate}s`,
    __range: `${i.range}s`, __range_s: `${i.range}`, __range_ms: `${i.range * 1000}`,
  };
}

function number(text: string): number {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

function points(s: Series): [number, string][] {
  return s.values ?? (s.value ? [s.value] : []);
}

function legend(target: Target, metric: Record<string, string>): string {
  if (target.legendFormat && target.legendFormat !== "__auto") {
    return target.legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? "");
  }
  const { __name__: name = "", ...labels } = metric;
  const inner = Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(", ");
  return inner || !name ? `${name}{${inner}}` : name;
}

function frame(target: Target, s: Series, step: number): DataFrame {
  const name = legend(target, s.metric);
  const { __name__, ...labels } = s.metric;
  const time: Field = { name: "Time", type: FieldType.time, config: { interval: step * 1000 }, values: points(s).map((p) => Math.round(p[0] * 1000)) };
  const value: Field = { name: "Value", type: FieldType.number, labels, config: { displayNameFromDS: name }, values: points(s).map((p) => number(p[1])) };
  return { refId: target.refId, name, fields: [time, value], length: time.values.length };
}

function table(target: Target, series: Series[], alone: boolean): DataFrame {
  const column = (name: string, type: FieldType, config = {}): Field => ({ name, type, config, values: [] });
  const labels = [...new Set(series.flatMap((s) => Object.keys(s.metric)))].sort();
  const time = column("Time", FieldType.time);
  const texts = labels.map((l) => column(l, FieldType.string, { filterable: true }));
  const value = column(alone ? "Value" : `Value #${target.refId}`, FieldType.number);
  for (const s of series) {
    for (const p of points(s)) {
      time.values.push(Math.round(p[0] * 1000));
      labels.forEach((l, i) => texts[i].values.push(s.metric[l] ?? ""));
      value.values.push(number(p[1]));
    }
  }
  return { refId: target.refId, fields: [time, ...texts, value], length: time.values.length };
}
