// How panels look, of Grafana's own components.
import { type DataFrame, FieldType, getDisplayValueAlignmentFactors } from "@grafana/data";
import { BarGauge, BigValue, PanelChrome, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { Component, type ReactNode, useEffect, useState } from "react";
import { drawMarks } from "./annotations";
import { type Context, fieldValues, load, type Note } from "./load";
import { Dial, Heat, States } from "./standins";

export interface Picture {
  panel: any;
  data: DataFrame[];
  width: number;
  height: number;
  context: Context;
}

interface Props {
  panel: any;
  width: number;
  height: number;
  context: Context;
  report: (note: Note) => void;
}

// Reports a panel when its picture is there, or failed.
export function PanelView({ panel, width, height, context, report }: Props) {
  const [loaded, setLoaded] = useState<{ frames: DataFrame[]; note: Note }>();
  const borderless = ["table", "state-timeline"].includes(panel.type);
  useEffect(() => {
    load(panel, width, context).then(setLoaded);
  }, []);
  return (
    <PanelChrome title={loaded?.note.title ?? panel.title} description={panel.description} width={width} height={height} padding={borderless ? "none" : "md"} statusMessage={loaded?.note.error}>
      {(w: number, h: number) => loaded && (
        <Watched note={loaded.note} report={report}><Body {...{ panel, data: loaded.frames, width: w, height: h, context }} /></Watched>
      )}
    </PanelChrome>
  );
}

class Watched extends Component<{ note: Note; report: (note: Note) => void; children: ReactNode }, { error?: string }> {
  state: { error?: string } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error: String(error) };
  }
  componentDidMount() {
    this.props.report(this.props.note);
  }
  componentDidCatch(error: unknown) {
    this.props.report({ ...this.props.note, error: String(error) });
  }
  render() {
    return this.state.error ?? this.props.children;
  }
}

const bodies: Record<string, (p: Picture) => ReactNode> = {
  timeseries: Graph, stat: Stat, gauge: Dial, bargauge: Bars, table: Grid, "state-timeline": States, "status-history": States, heatmap: Heat,
};

function Body(p: Picture) {
  if (p.panel.type === "text") {
    return <div style={{ whiteSpace: "pre-wrap" }}>{p.panel.options?.content}</div>;
  }
  const Draw = bodies[p.panel.type];
  if (!Draw) {
    return <div>there is no picture of {p.panel.type}</div>;
  }
  const some = p.data.some((f) => f.fields.length > 0 && f.length > 0);
  const bare = p.panel.type === "stat" || p.panel.type === "gauge"; // they print that by themselves
  return some || bare ? <Draw {...p} /> : <div className="empty" style={{ width: p.width, height: p.height }}>{p.panel.fieldConfig?.defaults?.noValue ?? "No data"}</div>;
}

function Graph({ panel, data, width, height, context }: Picture) {
  const frames = data.filter((f) => f.fields.some((x) => x.type === FieldType.number));
  return (
    <TimeSeries frames={frames} width={width} height={height} timeRange={context.range} timeZone="utc" legend={panel.options.legend} {...{ options: panel.options }}>
      {(config: any) => drawMarks(config, context.marks, context.theme)}
    </TimeSeries>
  );
}

function Stat({ panel, data, width, height, context }: Picture) {
  const o = panel.options;
  return (
    <VizRepeater
      getValues={() => fieldValues(panel, data, context.theme)} orientation={o.orientation} autoGrid width={width} height={height} source={data} renderCounter={0} itemSpacing={3}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={(r: any) => (
        <BigValue
          value={r.value.display} count={r.count} width={r.width} height={r.height} colorMode={o.colorMode} graphMode={o.graphMode} justifyMode={o.justifyMode} textMode={o.textMode}
          alignmentFactors={r.alignmentFactors} text={o.text} theme={context.theme} disableWideLayout={!o.wideLayout} />
      )} />
  );
}

function Bars({ panel, data, width, height, context }: Picture) {
  const o = panel.options;
  return (
    <VizRepeater
      getValues={() => fieldValues(panel, data, context.theme)} orientation={o.orientation} width={width} height={height} source={data} renderCounter={0} itemSpacing={10}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={(r: any) => (
        <BarGauge
          value={r.value.display} field={r.value.field} display={r.value.view?.getFieldDisplayProcessor(r.value.colIndex)} width={r.width} height={r.height} orientation={r.orientation}
          displayMode={o.displayMode} theme={context.theme} alignmentFactors={r.alignmentFactors} />
      )} />
  );
}

function Grid({ panel, data, width, height, context }: Picture) {
  return (
    <TableNG
      data={data[0]} width={width} height={height} sortBy={panel.options.sortBy} cellHeight={panel.options.cellHeight} noValue={panel.fieldConfig?.defaults?.noValue}
      fieldConfig={panel.fieldConfig} noHeader={panel.options.showHeader === false} showTypeIcons={panel.options.showTypeIcons} timeRange={context.range} structureRev={1} />
  );
}
