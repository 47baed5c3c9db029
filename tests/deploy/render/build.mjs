// Bundles the page: `node build.mjs` leaves page.js and page.css beside index.html.
import { build } from "esbuild";

await build({
  entryPoints: { page: "page.tsx" },
  bundle: true,
  outdir: ".",
  jsx: "automatic",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"', global: "window" },
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl", ".png": "dataurl" },
  logLevel: "error",
});
