// A page that draws a dashboard as Grafana's components do. window.draw(request) draws one
// and resolves to what its panels reported.
import { createTheme, dateMath, locationUtil, ThemeContext, type TimeRange } from "@grafana/data";
import { GlobalStyles } from "@grafana/ui";
import { createRoot, type Root } from "react-dom/client";
import { initialize } from "./known";
import { type AnnotationNote, loadAnnotations } from "./annotations";
import type { Context, Note } from "./load";
import { PanelView } from "./panels";
import { Prometheus } from "./prometheus";
import { loadVariables, substitute, substituteLink, type Variable } from "./variables";

interface Request {
  board: any;
  prometheus: string; // path of the API, below this page's server
  now: number; // milliseconds
  from?: string; // as "now-6h", unless the dashboard's own
  theme?: "light" | "dark";
  width?: number;
  open?: number[]; // rows that are unfolded; all if it is absent
  variables?: Record<string, string[]>;
}

interface Report {
  variables: Variable[];
  links: string[];
  annotations: AnnotationNote[];
  panels: Note[];
}

const GAP = 8, UNIT = 30, COLUMNS = 24;
let root: Root | undefined;

initialize();
(window as any).grafanaBootData = { settings: {}, user: {} };
locationUtil.initialize({ config: { appSubUrl: "" } as any, getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => ({ from: "now-1h", to: "now" }) as any });
(window as any).draw = draw;

async function draw(request: Request): Promise<Report> {
  const { board, now } = request;
  const time = { from: request.from ?? board.time.from, to: board.time.to };
  const at = (text: string) => dateMath.toDateTime(text, { now: new Date(now) })!;
  const range: TimeRange = { from: at(time.from), to: at(time.to), raw: time };
  const theme = createTheme({ colors: { mode: request.theme ?? "light" } });
  const prometheus = new Prometheus(request.prometheus);
  const variables = await loadVariables(board.templating?.list ?? [], prometheus, range, request.variables ?? {});
  const { marks, notes } = await loadAnnotations(board.annotations?.list ?? [], prometheus, variables, range, request.width ?? 1600);
  const context: Context = { prometheus, variables, range, time, theme, marks };
  const placed = layout(board.panels, (row) => !request.open || request.open.includes(row));
  const expected = placed.filter((p) => p.type !== "row").length;
  document.body.style.background = theme.colors.background.canvas;
  document.body.style.color = theme.colors.text.primary;
  root?.unmount();
  root = createRoot(document.getElementById("root")!);
  const panels = new Map<number, Note>();
  await new Promise<void>((done) => {
    const report = (note: Note) => {
      panels.set(note.panel, note.error || !panels.get(note.panel)?.error ? note : panels.get(note.panel)!);
      if (panels.size === expected) {
        requestAnimationFrame(() => requestAnimationFrame(() => done()));
      }
    };
    root!.render(<ThemeContext.Provider value={theme}><GlobalStyles /><Board {...{ board, placed, context, report, width: request.width ?? 1600 }} /></ThemeContext.Provider>);
  });
  const links = (board.links ?? []).filter((l: any) => l.url).map((l: any) => substituteLink(l.url, variables, undefined, time));
  return { variables, links, annotations: notes, panels: [...panels.values()] };
}

// The panels with their places; folded rows hide theirs.
function layout(panels: any[], open: (row: number) => boolean): any[] {
  const placed: any[] = [];
  let shift = 0, row = -1;
  for (const p of panels) {
    if (p.type !== "row") {
      placed.push({ ...p, y: p.gridPos.y + shift });
      continue;
    }
    row++;
    const folded = p.collapsed && !open(row);
    placed.push({ ...p, y: p.gridPos.y + shift, folded });
    if (!p.collapsed || folded) {
      continue;
    }
    const top = Math.min(...p.panels.map((c: any) => c.gridPos.y));
    placed.push(...p.panels.map((c: any) => ({ ...c, y: p.gridPos.y + shift + 1 + c.gridPos.y - top })));
    shift += Math.max(...p.panels.map((c: any) => c.gridPos.y + c.gridPos.h)) - top;
  }
  return placed;
}

interface BoardProps {
  board: any;
  placed: any[];
  context: Context;
  width: number;
  report: (note: Note) => void;
}

function Board({ board, placed, context, width, report }: BoardProps) {
  const cell = (width - GAP * (COLUMNS + 1)) / COLUMNS;
  const height = Math.max(...placed.map((p) => p.y + p.gridPos.h)) * (UNIT + GAP) + GAP;
  return (
    <div style={{ width }}>
      <div className="head"><b>{board.title}</b><span className="right">{context.time.from} to {context.time.to}</span></div>
      <div className="head">
        {context.variables.filter((v) => v.options[0] !== "prometheus").map((v) => (
          <span key={v.name} className="field"><i>{v.label ?? v.name}</i>{v.values.map((x) => (x === "$__all" ? "All" : x)).join(" + ")}</span>
        ))}
        <span className="right">{(board.links ?? []).map((l: any) => <span key={l.title} className="field">{l.title}</span>)}</span>
      </div>
      <div id="grid" style={{ position: "relative", height }}>
        {placed.map((p) => {
          const top = p.y * (UNIT + GAP) + GAP, left = GAP + p.gridPos.x * (cell + GAP);
          if (p.type === "row") {
            return <div key={p.id} className="section" style={{ top }}>{p.folded ? "▸" : "▾"} <b>{substitute(p.title, context.variables)}</b>{p.folded && <span>({p.panels.length} panels)</span>}</div>;
          }
          const w = p.gridPos.w * (cell + GAP) - GAP, h = p.gridPos.h * (UNIT + GAP) - GAP;
          return <div key={p.id} style={{ position: "absolute", top, left, width: w, height: h }}><PanelView panel={p} width={w} height={h} context={context} report={report} /></div>;
        })}
      </div>
    </div>
  );
}
