// What panels know: options of fields with their defaults, units, reducers, matchers and
// transformations. Grafana keeps the options of its panels in its server's front end, so
// they are listed here; what a dashboard sets beyond them has no effect.
import {
  fieldMatchers, FieldConfigOptionsRegistry, fieldReducers, getValueFormats, standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry,
} from "@grafana/data";

const standard = ["unit", "min", "max", "fieldMinMax", "decimals", "displayName", "noValue", "thresholds", "mappings", "links", "actions", "color", "filterable", "description"];

const visible = { tooltip: false, viz: false, legend: false };

// The custom options of each panel, with what they are where a dashboard says nothing.
export const customDefaults: Record<string, Record<string, unknown>> = {
  timeseries: {
    drawStyle: "line", lineInterpolation: "linear", lineWidth: 1, fillOpacity: 0, gradientMode: "none", pointSize: 5, showPoints: "auto", spanNulls: false, insertNulls: false,
    axisPlacement: "auto", axisLabel: "", axisColorMode: "text", axisBorderShow: false, scaleDistribution: { type: "linear" }, axisCenteredZero: false, barAlignment: 0,
    barWidthFactor: 0.6, stacking: { mode: "none", group: "A" }, hideFrom: visible, thresholdsStyle: { mode: "off" },
  },
  "state-timeline": { lineWidth: 0, fillOpacity: 70, hideFrom: visible },
  "status-history": { lineWidth: 1, fillOpacity: 70, hideFrom: visible },
  table: { align: "auto", cellOptions: { type: "auto" }, inspect: false, footer: { reducers: [] } },
  heatmap: { hideFrom: visible, scaleDistribution: { type: "linear" } },
  bargauge: {}, gauge: {}, stat: {}, text: {},
};

// Custom options that have no default.
const more: Record<string, string[]> = {
  timeseries: ["axisSoftMin", "axisSoftMax", "lineStyle", "fillBelowTo", "transform", "axisWidth", "axisGridShow"],
  "state-timeline": ["axisWidth"],
  table: ["width", "minWidth", "displayMode", "filterable", "hidden", "hideFrom", "wrapHeaderText", "wrapText"],
};

function customOf(type: string): string[] {
  return [...Object.keys(customDefaults[type] ?? {}), ...(more[type] ?? [])];
}

function item(id: string, path: string, isCustom: boolean): any {
  return { id, path, isCustom, name: id, editor: () => null, override: () => null, process: (v: unknown) => v, shouldApply: () => true };
}

// The registry in which overrides of a panel are looked up.
export function registryOf(type: string): FieldConfigOptionsRegistry {
  return new FieldConfigOptionsRegistry(() => [
    ...standard.map((s) => item(s, s, false)), ...customOf(type).map((c) => item(`custom.${c}`, c, true)),
  ]);
}

export function initialize(): void {
  standardFieldConfigEditorRegistry.setInit(() => standard.map((s) => item(s, s, false)));
  const transformers = new Map(Object.values(standardTransformers).map((t: any) => [t.id, t]));
  standardTransformersRegistry.setInit(() => [...transformers.values()].map((t: any) => ({
    id: t.id, name: t.name, transformation: async () => t, editor: () => null, imageDark: "", imageLight: "",
  }) as any));
}

// Units may have a prefix that takes any text, as suffix:x does.
const freeUnits = /^(suffix|prefix|currency|time|si|count|bool):/;
const units = new Set(getValueFormats().flatMap((group) => group.submenu.map((unit) => unit.value)));

// What a panel sets that nothing knows.
export function unknownOptions(panel: any): string[] {
  const found: string[] = [];
  const check = (known: boolean, what: string) => known || found.push(what);
  const custom = customOf(panel.type);
  check(panel.type in customDefaults, `panel type ${panel.type}`);
  for (const t of panel.transformations ?? []) {
    check(standardTransformersRegistry.getIfExists(t.id) !== undefined, `transformation ${t.id}`);
  }
  for (const calc of panel.options?.reduceOptions?.calcs ?? []) {
    check(fieldReducers.getIfExists(calc) !== undefined, `calculation ${calc}`);
  }
  const { custom: ofPanel = {}, ...ofField } = panel.fieldConfig?.defaults ?? {};
  const set = [...Object.keys(ofField).map((id) => ({ id, value: ofField[id] })), ...Object.keys(ofPanel).map((id) => ({ id: `custom.${id}`, value: ofPanel[id] }))];
  for (const o of panel.fieldConfig?.overrides ?? []) {
    check(fieldMatchers.getIfExists(o.matcher.id) !== undefined, `matcher ${o.matcher.id}`);
    set.push(...o.properties);
  }
  for (const { id, value } of set) {
    const known = id.startsWith("custom.") ? custom.includes(id.slice("custom.".length)) : standard.includes(id);
    check(known, `option ${id}`);
    check(id !== "unit" || units.has(value) || freeUnits.test(value), `unit ${value}`);
  }
  return [...new Set(found)];
}
