// The type of a dashboard, from Grafana's types (@grafana/schema) and those of the panels that our dashboards use.
// Unknown keys are errors. No package has the type of a Prometheus query, so it is defined here.
import type { TableCellOptions } from "@grafana/schema";
import type * as BarGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as Heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as Text from "@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen";
import type * as Line from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import type * as raw from "@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen";

// Copies a type structurally, since several of Grafana's types have the same name.
type Plain<Type> = { [Key in keyof Type]: Type[Key] };

interface Query {
  refId: string;
  datasource: raw.DataSourceRef;
  expr: string;
  legendFormat: string;
  format: "time_series" | "table" | "heatmap";
  range: boolean;
  instant: boolean;
  exemplar: boolean;
  editorMode: "code" | "builder";
  interval?: string;
}

interface Field<Custom> extends Omit<raw.FieldConfig, "custom" | "links"> {
  unit: string;
  links?: Link[];
  custom: Plain<Custom>;
}

/** A data link, which the schema does not define. */
interface Link {
  title: string;
  url: string;
  targetBlank: boolean;
}

/** @discriminator id */
type Property =
  | { id: "unit"; value: string }
  | { id: "decimals"; value: number }
  | { id: "min"; value: number }
  | { id: "max"; value: number }
  | { id: "fieldMinMax"; value: boolean }
  | { id: "color"; value: raw.FieldColor }
  | { id: "links"; value: Link[] }
  | { id: "custom.cellOptions"; value: TableCellOptions }
  | { id: "custom.fillOpacity"; value: number }
  | { id: "custom.lineWidth"; value: number }
  | { id: "custom.width"; value: number };

interface FieldConfig<Custom> {
  defaults: Field<Custom>;
  overrides: { matcher: { id: "byName" | "byRegexp"; options: string }; properties: Property[] }[];
}

interface PanelOf<Type, Options, Custom>
  extends Omit<raw.Panel, "type" | "title" | "description" | "targets" | "options" | "fieldConfig"> {
  type: Type;
  title: string;
  description: string;
  targets: Query[];
  options: Plain<Options>;
  fieldConfig: FieldConfig<Custom>;
}

/** A panel without queries. */
interface TextPanel extends Omit<raw.Panel, "type" | "title" | "options"> {
  type: "text";
  title: string;
  options: Plain<Text.Options>;
}

interface None {}

/** @discriminator type */
type Panel =
  | PanelOf<"bargauge", BarGauge.Options, None>
  | PanelOf<"heatmap", Heatmap.Options, Heatmap.FieldConfig>
  | PanelOf<"stat", Stat.Options, None>
  | PanelOf<"table", Table.Options, Table.FieldConfig>
  | PanelOf<"timeseries", Line.Options, Line.FieldConfig>
  | TextPanel
  | raw.RowPanel;

interface Annotation extends Omit<raw.AnnotationQuery, "target"> {
  target: { refId: string; expr: string; interval: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
}

export interface Dashboard extends Omit<raw.Dashboard, "panels" | "annotations"> {
  panels: Panel[];
  annotations: { list: Annotation[] };
}
