// Builds a folder of tests and runs it: `node tests/run.mjs unit`, `node tests/run.mjs browser`.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [folder, ...others] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));
const out = `${here}../.tests/${folder}`;
const names = readdirSync(here + folder).filter((name) => name.endsWith(".test.ts"));
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: names.map((name) => `${here}${folder}/${name}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "warning",
});
const files = names.map((name) => `${out}/${name.replace(".ts", ".mjs")}`);
const options = ["--test", "--test-reporter=tap", folder === "browser" ? "--test-concurrency=1" : "--test-concurrency=2", ...others];
process.exitCode = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit" }).status ?? 1;
