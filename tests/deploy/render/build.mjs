// Bundles the page: `node build.mjs` writes page.js and page.css next to index.html.
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
