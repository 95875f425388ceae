// The annotations of a dashboard: asked as Grafana's data source asks them, and drawn into
// graphs by a stand-in, since the panel's own code for that is in Grafana's server.
import { type GrafanaTheme2, type TimeRange } from "@grafana/data";
import { intervals, intervalVariables, type Prometheus } from "./prometheus";
import { substitute, type Variable } from "./variables";

export interface Mark {
  from: number; // milliseconds
  to: number;
  color: string;
}

export interface AnnotationNote {
  name: string;
  marks: number;
  error?: string;
}

export async function loadAnnotations(list: any[], prometheus: Prometheus, variables: Variable[], range: TimeRange, width: number): Promise<{ marks: Mark[]; notes: AnnotationNote[] }> {
  const marks: Mark[] = [], notes: AnnotationNote[] = [];
  for (const a of list.filter((x) => x.enable && x.expr)) {
    const i = intervals(range, width, a.step);
    try {
      const expr = substitute(a.expr, variables, intervalVariables(i));
      const found = (await prometheus.frames({ refId: "Anno", expr }, expr, range, i.step, true)).flatMap((f) => spans(f.fields, i.step * 1000));
      marks.push(...found.map((s) => ({ ...s, color: a.iconColor })));
      notes.push({ name: a.name, marks: found.length });
    } catch (error) {
      notes.push({ name: a.name, marks: 0, error: String(error) });
    }
  }
  return { marks, notes };
}

// What is not 0 in samples that follow each other is one range of time.
function spans(fields: any[], step: number): { from: number; to: number }[] {
  const all: { from: number; to: number }[] = [];
  fields[0]?.values.forEach((t: number, k: number) => {
    const last = all.at(-1);
    if (!fields[1].values[k]) {
      return;
    }
    if (last && t - last.to <= step) {
      last.to = t;
    } else {
      all.push({ from: t, to: t });
    }
  });
  return all;
}

const drawn = new WeakSet<object>();

// Has a graph of @grafana/ui draw the marks below its lines, once for each of its plots.
export function drawMarks(config: any, marks: Mark[], theme: GrafanaTheme2): null {
  if (drawn.has(config)) {
    return null;
  }
  drawn.add(config);
  config.addHook("drawClear", (u: any) => {
    const { ctx, bbox } = u;
    ctx.save();
    for (const m of marks) {
      const x = (t: number) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(t, "x", true)));
      ctx.globalAlpha = 0.15;
      ctx.fillStyle = theme.visualization.getColorByName(m.color);
      ctx.fillRect(x(m.from), bbox.top, Math.max(1, x(m.to) - x(m.from)), bbox.height);
    }
    ctx.restore();
  });
  return null;
}
