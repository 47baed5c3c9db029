// `node validate.mjs SCHEMA DASHBOARD...`: prints one line for each fault, and exits 1 if there is any.
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const [schema, ...files] = process.argv.slice(2);
const validate = new Ajv({ allErrors: true, strict: false }).compile(read(schema));

let faults = 0;
for (const file of files) {
  const board = read(file);
  if (validate(board)) continue;
  for (const { instancePath, keyword, message, params } of validate.errors) {
    if (keyword === "if") continue; // the inner errors are printed, too
    const panel = board.panels?.[/^\/panels\/(\d+)/.exec(instancePath)?.[1]];
    const name = panel ? `panel ${JSON.stringify(panel.title)}: ` : "";
    console.log(`${file}: ${name}${instancePath} ${message} ${JSON.stringify(params)}`);
    faults += 1;
  }
}
process.exitCode = faults > 0 ? 1 : 0;
