// Stand-ins for panels whose components Grafana does not publish. Pictures say so.
import { type DataFrame, FieldType, formattedValueToString, getFieldDisplayName } from "@grafana/data";
import { VizLegend } from "@grafana/ui";
import { fieldValues } from "./load";
import type { Picture } from "./panels";

function Mark({ width, height = 10, color }: { width: number; height?: number; color: string }) {
  return <text x={width - 2} y={height} textAnchor="end" fill={color} fontSize={9}>stand-in</text>;
}

export function Dial({ panel, data, width, height, context }: Picture) {
  const [value] = fieldValues(panel, data, context.theme);
  const { min = 0, max = 100 } = value?.field ?? {};
  const share = value ? Math.min(1, Math.max(0, (value.display.numeric - min) / (max - min))) : 0;
  const radius = Math.min(width / 2, height * 0.8) - 12, x = width / 2, y = height * 0.82;
  const text = value ? formattedValueToString(value.display) : "No data";
  const at = (s: number) => `${x - radius * Math.cos(Math.PI * s)} ${y - radius * Math.sin(Math.PI * s)}`;
  const arc = (to: number) => `M${at(0)} A${radius} ${radius} 0 0 1 ${at(to)}`;
  return (
    <svg width={width} height={height}>
      <path d={arc(1)} stroke={context.theme.colors.background.secondary} strokeWidth={18} fill="none" />
      {share > 0 && <path d={arc(share)} stroke={value.display.color} strokeWidth={18} fill="none" />}
      <text x={x} y={y - 4} textAnchor="middle" fill={value?.display.color} fontSize={radius * Math.min(0.42, 3 / text.length)}>{text}</text>
      <Mark width={width} color={context.theme.colors.text.disabled} />
    </svg>
  );
}

interface Lane {
  name: string;
  boxes: { from: number; to: number; text: string; color: string }[];
}

// What each series was, until its next sample or for two steps.
function lanes(data: DataFrame[], to: number): Lane[] {
  return data.flatMap((f) => f.fields.filter((x) => x.type === FieldType.number || x.type === FieldType.string).map((x) => {
    const time = f.fields.find((t) => t.type === FieldType.time)!;
    const longest = 2 * ((time.config.interval as number | undefined) ?? 60_000);
    const boxes: Lane["boxes"] = [];
    time.values.forEach((from: number, i: number) => {
      const value = x.display!(x.values[i]), text = formattedValueToString(value), last = boxes.at(-1);
      const box = { from, to: Math.min(time.values[i + 1] ?? to, from + longest), text, color: value.color ?? "" };
      if (last?.text === text && last.to === from) {
        last.to = box.to;
      } else {
        boxes.push(box);
      }
    });
    return { name: getFieldDisplayName(x, f, data), boxes };
  }));
}

export function States({ panel, data, width, height, context }: Picture) {
  const from = context.range.from.valueOf(), to = context.range.to.valueOf();
  const rows = lanes(data, to), legend = 36, axis = 20, days = to - from > 36 * 3600_000;
  const clock = (t: number) => new Date(t).toISOString().slice(...(days ? [5, 10] : [11, 16]) as [number, number]).replace("-", "/");
  const left = Math.min(width * 0.4, 12 + Math.max(...rows.map((r) => r.name.length)) * 6.6);
  const plot = width - left - 12, row = (height - legend - axis) / rows.length;
  const x = (t: number) => left + ((Math.max(from, Math.min(to, t)) - from) / (to - from)) * plot;
  const { primary, secondary, disabled } = context.theme.colors.text;
  const states = new Map(rows.flatMap((r) => r.boxes).map((b) => [b.text, b.color]));
  return (
    <div>
      <svg width={width} height={height - legend} style={{ overflow: "visible" }}>
        {rows.flatMap((r, i) => r.boxes.map((b, k) => (
          <rect key={`${i}.${k}`} x={x(b.from)} width={Math.max(0, x(b.to) - x(b.from) + 0.4)} y={(i + 0.05) * row} height={row * (panel.options.rowHeight ?? 0.9)} fill={b.color} fillOpacity={0.8} />
        )))}
        {rows.map((r, i) => <text key={i} x={left - 6} y={(i + 0.5) * row + 4} textAnchor="end" fontSize={12} fill={primary}>{r.name}</text>)}
        {[0, 0.25, 0.5, 0.75, 1].map((s) => (
          <text key={s} x={left + s * plot} y={height - legend - 5} textAnchor={s === 1 ? "end" : "start"} fontSize={11} fill={secondary}>{clock(from + s * (to - from))}</text>
        ))}
        <Mark width={width} height={height - legend + 9} color={disabled} />
      </svg>
      {panel.options.legend?.showLegend && (
        <div style={{ paddingLeft: 8 }}><VizLegend displayMode={"list" as any} placement="bottom" items={[...states].map(([label, color]) => ({ label, color, yAxis: 1 }))} /></div>
      )}
    </div>
  );
}

function bound(le: string): number {
  return le === "+Inf" ? Infinity : Number(le);
}

// A cell for each bucket and step, the darker the more is in it. Buckets hold what is in
// those below them, too.
export function Heat({ data, width, height, context }: Picture) {
  const from = context.range.from.valueOf(), to = context.range.to.valueOf();
  const upTo = data.flatMap((f) => f.fields.filter((x) => x.type === FieldType.number).map((x) => ({
    name: getFieldDisplayName(x, f, data), time: f.fields.find((t) => t.type === FieldType.time)!, values: x.values as number[],
  }))).sort((a, b) => bound(a.name) - bound(b.name));
  const rows = upTo.map((r, i) => ({ ...r, values: r.values.map((v, k) => Math.max(0, v - (upTo[i - 1]?.values[k] ?? 0))) }));
  const most = Math.max(...rows.flatMap((r) => r.values).filter(Number.isFinite), 0), row = height / rows.length, left = 60;
  const x = (t: number) => left + ((t - from) / (to - from)) * (width - left);
  return (
    <svg width={width} height={height}>
      {rows.flatMap((r, i) => r.values.map((v, k) => (
        <rect key={`${i}.${k}`} x={x(r.time.values[k])} width={Math.max(1, ((r.time.config.interval ?? 60_000) / (to - from)) * (width - left))} y={height - (i + 1) * row} height={row} fill={context.theme.colors.primary.main} fillOpacity={most > 0 ? v / most : 0} />
      )))}
      {rows.map((r, i) => <text key={i} x={left - 6} y={height - (i + 0.3) * row} textAnchor="end" fontSize={10} fill={context.theme.colors.text.primary}>{r.name}</text>)}
      <Mark width={width} color={context.theme.colors.text.disabled} />
    </svg>
  );
}
