// Renders a dashboard, or some of its rows, like Grafana, and reports the drawn panels to the test.
import { createTheme, type DataFrame, getValueFormats, ThemeContext } from "@grafana/data";
import { ErrorBoundary, GlobalStyles, PanelChrome } from "@grafana/ui";
import { createRoot } from "react-dom/client";

import { Drawn, hasNumbers, type Panel, prepared } from "./panels";
import { framesOf, type Shown } from "./queries";

const MARGIN = 8;
const LINE = 38; // pixels of a line of the grid, with its margin
const HEAD = 54;
const SETTLE_MS = 3000; // for panels that draw later

const errors: string[] = [];
window.addEventListener("error", (event) => errors.push(event.message));
window.addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));

interface Placed {
  panel: Panel;
  top: number;
  frames: DataFrame[];
}

const theme = createTheme({ colors: { mode: "dark" } });
const parameters = new URLSearchParams(location.search);
const number = (name: string) => Number(parameters.get(name));
const shown: Shown = {
  prometheus: parameters.get("prometheus")!,
  end: number("end"),
  seconds: number("shown"),
  step: number("step"),
  scrape: number("scrape"),
  recorded: number("recorded"),
  regions: JSON.parse(parameters.get("regions")!),
};

/** The panels of the requested rows, moved up to close the gaps. */
function selected(panels: Panel[], rows: string[]): { panel: Panel; top: number }[] {
  let top = 0;
  let end = 0;
  let show = true;
  return panels.flatMap((panel) => {
    if (panel.type === "row") {
      show = rows.length === 0 || rows.includes(panel.title);
      if (show) [top, end] = [end - panel.gridPos.y, end];
    }
    if (show) end = top + panel.gridPos.y + panel.gridPos.h;
    return show ? [{ panel, top: top + panel.gridPos.y }] : [];
  });
}

function Box({ panel, top, frames }: Placed) {
  const column = (window.innerWidth - MARGIN) / 24;
  const width = panel.gridPos.w * column - MARGIN;
  const height = panel.gridPos.h * LINE - MARGIN;
  const left = MARGIN + panel.gridPos.x * column;
  const place = { position: "absolute", left, top: HEAD + top * LINE, width, height } as const;
  if (panel.type === "row") return <h4 style={{ ...place, lineHeight: `${height}px` }}>{panel.title}</h4>;
  return (
    <div style={place} data-panel={panel.id}>
      <PanelChrome title={panel.title} width={width} height={height}>
        {(width, height) => (
          <ErrorBoundary onError={(error) => errors.push(`${panel.title}: ${error.message}`)}>
            {({ error }) => error || (!hasNumbers(frames) && !["stat", "text"].includes(panel.type))
              ? <p style={{ textAlign: "center" }}>No data</p>
              : <Drawn {...{ panel, frames, shown, theme, width, height }} />}
          </ErrorBoundary>
        )}
      </PanelChrome>
    </div>
  );
}

function painted(canvas: HTMLCanvasElement) {
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  return data.some((byte) => byte !== 0);
}

/** Whether the panel shows a canvas that is not blank, or a text with a number. A text panel shows any text. */
function isDrawn({ panel, frames }: Placed) {
  const box = document.querySelector(`[data-panel="${panel.id}"]`)!;
  if (panel.type === "text") return box.textContent!.length > panel.title.length;
  const canvases = [...box.querySelectorAll("canvas")];
  const visible = canvases.length > 0 ? canvases.some(painted) : /\d/.test(box.textContent!.replace(panel.title, ""));
  return hasNumbers(frames) && visible;
}

async function main() {
  const board = await (await fetch(parameters.get("board")!)).json();
  const rows = parameters.get("rows")!.split("|").filter(Boolean);
  const placed: Placed[] = await Promise.all(selected(board.panels, rows).map(async ({ panel, top }) => ({
    panel, top, frames: await prepared(panel, await framesOf(panel.targets ?? [], shown), theme),
  })));
  createRoot(document.getElementById("page")!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <h3 style={{ position: "absolute", left: 16, top: 12 }}>{board.title}</h3>
      {placed.map((one) => <Box key={one.panel.id} {...one} />)}
    </ThemeContext.Provider>,
  );
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const known = new Set(getValueFormats().flatMap((category) => category.submenu!.map((unit) => unit.value)));
  const units = placed.flatMap(({ panel }) => panel.fieldConfig?.defaults.unit ?? []);
  return {
    panels: placed.filter(({ panel }) => panel.type !== "row")
      .map((one) => ({ title: one.panel.title, drawn: isDrawn(one) })),
    unknown_units: units.filter((unit) => !known.has(unit) && !unit.startsWith("count:")),
  };
}

main()
  .catch((error) => (errors.push(String(error)), { panels: [], unknown_units: [] }))
  .then((report) => fetch("report", { method: "POST", body: JSON.stringify({ ...report, errors }) }));
