// Draws a panel with Grafana's components. No package has Grafana's heatmap, so this file draws its cells on Grafana's
// axes and canvas.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  dateTime,
  FieldConfigOptionsRegistry,
  FieldType,
  type FieldConfigSource,
  type FieldDisplay,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  getValueFormat,
  formattedValueToString,
  type GrafanaTheme2,
  renderTextPanelMarkdown,
  standardTransformers,
  standardTransformersRegistry,
  type TimeRange,
  transformDataFrame,
  VizOrientation,
} from "@grafana/data";
import { AxisPlacement, ScaleDirection, ScaleOrientation } from "@grafana/schema";
import { BarGauge, BigValue, TimeSeries, UPlotChart, UPlotConfigBuilder, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { interpolateOranges } from "d3-scale-chromatic";
import { lastValueFrom } from "rxjs";
import type uPlot from "uplot";

import type { Query, Shown } from "./queries";

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Query[];
  options: any;
  fieldConfig?: FieldConfigSource;
  transformations?: any[];
}

interface Drawing {
  panel: Panel;
  frames: DataFrame[];
  shown: Shown;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}

const { mergeTransformer, organizeFieldsTransformer } = standardTransformers;
standardTransformersRegistry.setInit(() =>
  [mergeTransformer, organizeFieldsTransformer].map((transformation: any) => ({
    id: transformation.id,
    name: transformation.name,
    transformation: async () => transformation,
    editor: () => null,
  })),
);

/** Registers the properties of a panel's configuration, as Grafana's panels do. */
function registry({ defaults, overrides }: FieldConfigSource) {
  const standard = Object.keys(defaults).filter((key) => key !== "custom");
  const custom = Object.keys(defaults.custom ?? {}).map((key) => `custom.${key}`);
  const overridden = overrides.flatMap((override) => override.properties.map((property) => property.id));
  const ids = [...new Set([...standard, ...custom, ...overridden])];
  return new FieldConfigOptionsRegistry(() =>
    ids.map((id) => ({
      id,
      path: id.replace("custom.", ""),
      name: id,
      isCustom: id.startsWith("custom."),
      process: (value: unknown) => value,
      shouldApply: () => true,
      editor: () => null,
      override: () => null,
      settings: {},
    })) as any,
  );
}

/** The frames after the panel's transformations and field configuration. */
export async function prepared(panel: Panel, frames: DataFrame[], theme: GrafanaTheme2): Promise<DataFrame[]> {
  if (!panel.fieldConfig) return frames;
  const context = { interpolate: (text: string) => text };
  const data = await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames, context));
  const configured = applyFieldOverrides({
    data,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: registry(panel.fieldConfig),
    replaceVariables: (text: string) => text,
    theme,
    timeZone: "utc",
  });
  cacheFieldDisplayNames(configured);
  return configured;
}

function timeRange(shown: Shown): TimeRange {
  const from = dateTime((shown.end - shown.seconds) * 1000);
  const to = dateTime(shown.end * 1000);
  return { from, to, raw: { from, to } };
}

/** Adds a drawing that is cut off at the plot's edges. */
function addDrawing(config: UPlotConfigBuilder, paint: (plot: uPlot) => void) {
  config.addHook("draw", (plot) => {
    const { left, top, width, height } = plot.bbox;
    plot.ctx.save();
    plot.ctx.beginPath();
    plot.ctx.rect(left, top, width, height);
    plot.ctx.clip();
    paint(plot);
    plot.ctx.restore();
  });
}

/** Marks the regions of the time range, as Grafana does with annotations, and writes their texts beside them. */
function markRegions(config: UPlotConfigBuilder, { shown, theme }: Drawing) {
  addDrawing(config, (plot) => {
    const { ctx } = plot;
    const { left, top, height } = plot.bbox;
    ctx.font = `${11 * devicePixelRatio}px ${theme.typography.fontFamily}`;
    ctx.textBaseline = "top";
    for (const { from, to, text } of shown.regions) {
      const [begin, end] = [from, to].map((time) => plot.valToPos(time * 1000, "x", true));
      ctx.fillStyle = theme.visualization.getColorByName("semi-dark-red");
      ctx.globalAlpha = 0.15;
      ctx.fillRect(begin, top, end - begin, height);
      ctx.globalAlpha = 1;
      for (const edge of [begin, end]) ctx.fillRect(edge, top, 1, height);
      ctx.fillStyle = theme.colors.text.primary;
      const fits = begin - ctx.measureText(text).width - 8 > left;
      ctx.textAlign = fits ? "right" : "left";
      ctx.fillText(text, fits ? begin - 4 : end + 4, top + 2);
    }
  });
}

function Lines(drawing: Drawing) {
  const { panel, frames, shown, width, height } = drawing;
  return (
    <TimeSeries frames={frames} structureRev={1} timeRange={timeRange(shown)} timeZone="utc" width={width}
      height={height} legend={panel.options.legend} options={panel.options}>
      {(config: UPlotConfigBuilder) => (markRegions(config, drawing), null)}
    </TimeSeries>
  );
}

function displays({ panel, frames, theme }: Drawing): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig!,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text: string) => text,
    theme,
    data: frames,
    sparkline: panel.options.graphMode === "area",
    timeZone: "utc",
  });
}

function Stat(drawing: Drawing) {
  const { panel, theme, width, height } = drawing;
  const [value] = displays(drawing);
  return (
    <BigValue value={value.display} sparkline={value.sparkline} colorMode={panel.options.colorMode}
      graphMode={panel.options.graphMode} justifyMode={panel.options.justifyMode} text={panel.options.text}
      textMode={panel.options.textMode}
      theme={theme} width={width} height={height} />
  );
}

function Bars(drawing: Drawing) {
  const { panel, theme, width, height } = drawing;
  return (
    <VizRepeater getValues={() => displays(drawing)} getAlignmentFactors={getDisplayValueAlignmentFactors}
      width={width} height={height} source={drawing} renderCounter={0} itemSpacing={8}
      orientation={VizOrientation.Horizontal} minVizHeight={panel.options.minVizHeight}
      maxVizHeight={panel.options.maxVizHeight}
      renderValue={({ value, width, height, alignmentFactors }: any) => (
        <BarGauge value={value.display} field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)} orientation={VizOrientation.Horizontal}
          displayMode={panel.options.displayMode} valueDisplayMode={panel.options.valueMode}
          showUnfilled={panel.options.showUnfilled} alignmentFactors={alignmentFactors} theme={theme}
          width={width} height={height} />
      )} />
  );
}

function Rows({ panel, frames, width, height }: Drawing) {
  return (
    <TableNG data={frames[0]} width={width} height={height} cellHeight={panel.options.cellHeight}
      sortBy={panel.options.sortBy} enableVirtualization={false} />
  );
}

/** A heatmap with one row for each bucket, from the previous bound to its own. */
function Heatmap(drawing: Drawing) {
  const { panel, frames, shown, theme, width, height } = drawing;
  const [time, ...buckets] = frames[0].fields;
  const { unit } = panel.options.yAxis;
  const format = getValueFormat(unit);
  const most = Math.max(...buckets.flatMap((bucket) => bucket.values.filter((value) => value !== null)));
  const shade = (value: number) => interpolateOranges(1 - Math.pow(value / most, panel.options.color.exponent));
  const config = new UPlotConfigBuilder("utc");
  config.addScale({ scaleKey: "x", isTime: true, orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right, range: () => [(shown.end - shown.seconds) * 1000, shown.end * 1000] });
  config.addScale({ scaleKey: "y", isTime: false, orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up, range: () => [0, buckets.length] });
  config.addAxis({ scaleKey: "x", isTime: true, placement: AxisPlacement.Bottom, timeZone: "utc", theme });
  config.addAxis({ scaleKey: "y", placement: AxisPlacement.Left, theme, grid: { show: false },
    splits: buckets.flatMap((_, place) => (place % 3 === 2 ? [place + 1] : [])),
    formatValue: (place) => bound(buckets[Number(place) - 1]?.name ?? "") } as any);
  config.addSeries({ scaleKey: "y", pathBuilder: () => null, pointsBuilder: () => null, theme } as any);
  const bound = (le: string) => (le === "+Inf" ? le : formattedValueToString(format(Number(le), 0)));
  addDrawing(config, (plot) => {
    const step = plot.valToPos(shown.step * 1000, "x", true) - plot.valToPos(0, "x", true);
    const row = plot.valToPos(0, "y", true) - plot.valToPos(1, "y", true);
    buckets.forEach((bucket, place) =>
      bucket.values.forEach((value, at) => {
        if (!(value > panel.options.filterValues.le)) return;
        plot.ctx.fillStyle = shade(value);
        plot.ctx.fillRect(plot.valToPos(time.values[at], "x", true) - step, plot.valToPos(place + 1, "y", true),
          step - panel.options.cellGap, row - panel.options.cellGap);
      }),
    );
  });
  markRegions(config, drawing);
  const scale = Array.from({ length: 9 }, (_, place) => shade((most * place) / 8)).join(", ");
  return (
    <>
      <UPlotChart config={config} width={width} height={height - 24} timeRange={timeRange(shown)}
        data={[time.values, time.values.map(() => null)] as any} />
      <div style={{ display: "flex", gap: 8, alignItems: "center", fontSize: 12, paddingLeft: 8 }}>
        0
        <div style={{ width: 160, height: 8, background: `linear-gradient(90deg, ${scale})` }} />
        {formattedValueToString(getValueFormat("short")(most, 0))}
      </div>
    </>
  );
}

function Text({ panel }: Drawing) {
  const html = renderTextPanelMarkdown(panel.options.content);
  return <div className="markdown-html" style={{ padding: "0 8px" }} dangerouslySetInnerHTML={{ __html: html }} />;
}

const KINDS: Record<string, (drawing: Drawing) => any> = {
  timeseries: Lines,
  stat: Stat,
  bargauge: Bars,
  table: Rows,
  heatmap: Heatmap,
  text: Text,
};

export function Drawn(drawing: Drawing) {
  const Kind = KINDS[drawing.panel.type];
  return <Kind {...drawing} />;
}

/** Whether the frames contain a number. */
export function hasNumbers(frames: DataFrame[]) {
  return frames.some((frame) =>
    frame.fields.some((field) => field.type === FieldType.number && field.values.some(Number.isFinite)));
}
