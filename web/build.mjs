// Builds `web/dist`, and fails when a part has outgrown its size or the README tells another one.
// `--readme` writes the figures there.

import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What is built: the name in `dist`, its source, its shape, the most that it may weigh. */
const PARTS = [
  { name: "stub.js", source: "snippet/stub.ts", format: "iife", most: 400, says: "stub" },
  { name: "throughline-core.js", source: "snippet/script-core.ts", format: "iife", most: 4096, says: "core: event context, attribution, consent, tracker, forms" },
  { name: "throughline.js", source: "snippet/script-full.ts", format: "iife", most: 10240, says: "core, checkout and banner" },
  { name: "throughline.mjs", source: "snippet/index.ts", format: "esm", most: 10240, says: "the same as a module" },
  { name: "sandbox.js", source: "page/sandbox.ts", format: "iife" },
  { name: "tags.js", source: "page/tags.ts", format: "iife" },
  { name: "bank.js", source: "page/bank.ts", format: "iife" },
  { name: "vanilla-cookieconsent.mjs", source: "snippet/adapters/vanilla-cookieconsent.ts", format: "esm" },
  { name: "klaro.mjs", source: "snippet/adapters/klaro.ts", format: "esm" },
];

tsc("-p", here("tsconfig.json"));
await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist"), { recursive: true });
// For whoever imports the module.
tsc("-p", here("tsconfig.types.json"));
await Promise.all(PARTS.map(({ name, source, format }) => bundle(source, name, format)));

const writes = process.argv.includes("--readme");
let readme = await readFile(here("../README.md"), "utf8");
for (const { name, most, says } of PARTS.filter(({ most }) => most)) {
  const size = gzipSync(await readFile(here(`dist/${name}`)), { level: 9 }).length;
  console.log(`${name}: ${size} bytes of ${most} after gzip (${says})`);
  if (size > most) fail(`${name} is larger than it may be: make it smaller`);
  const row = new RegExp(`(\\| \`${name}\`[^|]*\\| )(\\d+)( \\| ${most} \\|)`);
  const told = row.exec(readme)?.[2];
  // Another release of Node may compress a few bytes more or less.
  if (told && Math.abs(told - size) > 16 && !writes) fail(`the README says ${told}: run \`node web/build.mjs --readme\``);
  readme = readme.replace(row, `$1${size}$3`);
}
if (writes) await writeFile(here("../README.md"), readme);

function fail(why) {
  console.error(why);
  process.exitCode = 1;
}

function bundle(source, name, format) {
  return build({
    entryPoints: [here(source)],
    outfile: here(`dist/${name}`),
    bundle: true,
    minify: true,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
}

function tsc(...words) {
  const { status } = spawnSync(process.execPath, [here("node_modules/typescript/bin/tsc"), ...words], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
