// The variables of a dashboard: their values, and how they stand in queries and links.
import { getFieldDisplayValuesProxy, type ScopedVars, type TimeRange } from "@grafana/data";
import type { Prometheus } from "./prometheus";

export interface Variable {
  name: string;
  label?: string;
  values: string[];
  all?: string; // what "All" stands for, if the dashboard says so
  one?: boolean; // only one value can be chosen
  options: string[];
}

const NAME = /\$(\w+)|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}|\[\[(\w+)\]\]/g;
const ALL = "$__all";

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()|[\]{}]/g, "\\\\$&");
}

function inQuery(v: Variable): string {
  if (v.values.includes(ALL) && v.all) {
    return v.all;
  }
  const values = (v.values.includes(ALL) ? v.options : v.values).map(escaped);
  return values.length === 1 ? values[0] : `(${values.join("|")})`;
}

// A query or a title with variables replaced. Unknown ones stay.
export function substitute(text: string, variables: Variable[], plain: Record<string, string> = {}): string {
  return text.replace(NAME, (whole, short, long) => {
    const name = short ?? long;
    const v = variables.find((x) => x.name === name);
    return plain[name] ?? (v ? inQuery(v) : whole);
  });
}

// A link with variables replaced, also ${__data.fields.X:percentencode}, ${name:queryparam}
// and ${__url_time_range}. Unknown ones stay.
export function substituteLink(text: string, variables: Variable[], scoped: ScopedVars | undefined, time: { from: string; to: string }): string {
  return text.replace(NAME, (whole, short, long, path, format) => {
    const name = short ?? long;
    if (name === "__url_time_range") {
      return `from=${time.from}&to=${time.to}`;
    }
    if (name === "__data") {
      return dataValue(whole, path, format, scoped);
    }
    const v = variables.find((x) => x.name === name);
    if (!v) {
      return whole;
    }
    return format === "queryparam" ? v.values.map((x) => `var-${name}=${encodeURIComponent(x)}`).join("&") : v.values.join(",");
  });
}

function dataValue(whole: string, path: string, format: string | undefined, scoped?: ScopedVars): string {
  const context: any = scoped?.__dataContext?.value;
  if (!context) {
    return whole;
  }
  const fields: any = getFieldDisplayValuesProxy({ frame: context.frame, rowIndex: context.rowIndex ?? 0 });
  const value = fields[path.replace(/^fields\./, "")];
  if (value === undefined) {
    return whole;
  }
  return format === "percentencode" ? encodeURIComponent(String(value)) : String(value);
}

export async function loadVariables(list: any[], prometheus: Prometheus, range: TimeRange, chosen: Record<string, string[]>): Promise<Variable[]> {
  const all: Variable[] = [];
  for (const m of list) {
    if (m.type === "datasource") {
      all.push({ name: m.name, label: m.label, values: ["prometheus"], options: ["prometheus"] });
      continue;
    }
    const query = substitute(typeof m.query === "string" ? m.query : m.query.query, all);
    const match = /^label_values\((?:(.+),\s*)?(\w+)\s*\)$/.exec(query);
    if (!match) {
      throw new Error(`variable ${m.name}: cannot read ${query}`);
    }
    const options: string[] = await prometheus.call(`label/${match[2]}/values`, {
      start: String(range.from.valueOf() / 1000), end: String(range.to.valueOf() / 1000), ...(match[1] ? { "match[]": match[1] } : {}),
    });
    const current = [m.current?.value ?? (m.includeAll ? ALL : options[0] ?? "")].flat();
    all.push({ name: m.name, label: m.label, values: chosen[m.name] ?? current, all: m.allValue, one: !m.multi, options });
  }
  return all;
}
