// Queries a real Prometheus for a panel, and makes the data frames that Grafana's data source would make.
import { createDataFrame, type DataFrame, FieldType, type Labels } from "@grafana/data";

export interface Shown {
  prometheus: string;
  end: number; // in seconds since the epoch
  seconds: number;
  step: number; // in seconds, of a graph
  scrape: number; // seconds; the scrape interval of the data source
  recorded: number; // seconds; the longest interval between two recordings, and the step of a graph of recorded series
  regions: Region[];
}

/** A part of the time range that graphs mark, in seconds since the epoch. */
export interface Region {
  from: number;
  to: number;
  text: string;
}

export interface Query {
  refId: string;
  expr: string;
  legendFormat: string;
  format: "time_series" | "table" | "heatmap";
  instant: boolean;
  interval?: string; // the least step, that of recorded series
}

interface Series {
  metric: Labels;
  value?: [number, string];
  values?: [number, string][];
}

/** The time range with the step of the query. */
function rangeOf(query: Query, shown: Shown): Shown {
  return query.interval ? { ...shown, step: Math.max(shown.step, shown.recorded) } : shown;
}

function interpolated(text: string, shown: Shown) {
  const rate = Math.max(4 * shown.scrape, shown.step + shown.scrape);
  const values: Record<string, string> = {
    $__interval: `${shown.step}s`,
    $__rate_interval: `${rate}s`,
    $__rate_interval_ms: `${rate * 1000}`,
    $__range: `${shown.seconds}s`,
    $__range_s: `${shown.seconds}`,
    $__from: `${(shown.end - shown.seconds) * 1000}`,
    $job: ".+",
    $instance: ".+",
  };
  return text.replace(/\$\w+/g, (name) => values[name]);
}

async function runQuery(query: Query, shown: Shown): Promise<Series[]> {
  const times = query.instant
    ? { time: `${shown.end}` }
    : { start: `${shown.end - shown.seconds}`, end: `${shown.end}`, step: `${shown.step}` };
  const parameters = new URLSearchParams({ query: interpolated(query.expr, shown), ...times });
  const answer = await fetch(`${shown.prometheus}/api/v1/query${query.instant ? "" : "_range"}?${parameters}`);
  const { status, error, data } = await answer.json();
  if (status !== "success") throw new Error(`${query.expr}: ${error}`);
  return data.result;
}

/** The value at each step; null where there is none. */
function onSteps(series: Series, shown: Shown): (number | null)[] {
  const found = new Map(series.values?.map(([time, value]) => [Math.round(time), Number(value)]));
  return steps(shown).map((time) => found.get(time) ?? null);
}

function steps(shown: Shown) {
  const start = shown.end - shown.seconds;
  return Array.from({ length: Math.floor(shown.seconds / shown.step) + 1 }, (_, place) => start + place * shown.step);
}

function times(shown: Shown) {
  return {
    name: "Time",
    type: FieldType.time,
    values: steps(shown).map((time) => time * 1000),
    config: { interval: shown.step * 1000 },
  };
}

function lines(query: Query, answer: Series[], shown: Shown): DataFrame[] {
  return answer.map((series) => {
    const legend = query.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => series.metric[label] ?? "");
    const config = { displayNameFromDS: legend };
    const time = series.value
      ? { name: "Time", type: FieldType.time, values: [series.value[0] * 1000], config: {} }
      : times(shown);
    const values = series.value ? [Number(series.value[1])] : onSteps(series, shown);
    const value = { name: "Value", type: FieldType.number, values, labels: series.metric, config };
    return createDataFrame({ refId: query.refId, name: legend, fields: [time, value] });
  });
}

function table(query: Query, answer: Series[], alone: boolean): DataFrame[] {
  const labels = [...new Set(answer.flatMap((series) => Object.keys(series.metric)))];
  const columns = labels.map((name) => ({
    name,
    type: FieldType.string,
    values: answer.map((series) => series.metric[name]),
    config: {},
  }));
  const value = {
    name: alone ? "Value" : `Value #${query.refId}`,
    type: FieldType.number,
    values: answer.map((series) => Number(series.value?.[1])),
    config: {},
  };
  const seconds = answer.map((series) => series.value![0]);
  const time = { name: "Time", type: FieldType.time, values: seconds.map((one) => one * 1000), config: {} };
  return [createDataFrame({ refId: query.refId, fields: [time, ...columns, value] })];
}

/** One field for each bucket, with its own count (not cumulative). */
function heatmap(query: Query, answer: Series[], shown: Shown): DataFrame[] {
  const parse = ({ metric }: Series) => (metric.le === "+Inf" ? Infinity : Number(metric.le));
  const sorted = [...answer].sort((one, other) => parse(one) - parse(other));
  const sums = sorted.map((series) => onSteps(series, shown));
  const fields = sorted.map((series, bucket) => ({
    name: series.metric.le,
    type: FieldType.number,
    values: sums[bucket].map((sum, place) => (sum === null ? null : sum - (sums[bucket - 1]?.[place] ?? 0))),
    config: {},
  }));
  return answer.length > 0 ? [createDataFrame({ refId: query.refId, fields: [times(shown), ...fields] })] : [];
}

export async function framesOf(queries: Query[], shown: Shown): Promise<DataFrame[]> {
  const all = await Promise.all(
    queries.map(async (query) => {
      const range = rangeOf(query, shown);
      const answer = await runQuery(query, range);
      if (query.format === "heatmap") return heatmap(query, answer, range);
      return query.format === "table" ? table(query, answer, queries.length === 1) : lines(query, answer, range);
    }),
  );
  return all.flat();
}
