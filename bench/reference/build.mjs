// Bundles each reference handler into one minified file, as its developer would before a deploy.

import { build } from "esbuild";
import { readdirSync, statSync } from "node:fs";

for (const variant of ["node", "powertools"]) {
  for (const file of readdirSync(variant).filter((name) => name.endsWith(".mjs"))) {
    const outfile = `dist/${variant}/${file.replace(/\.mjs$/, "")}/index.mjs`;
    await build({
      entryPoints: [`${variant}/${file}`],
      outfile,
      bundle: true,
      minify: true,
      treeShaking: true,
      platform: "node",
      target: "node20",
      format: "esm",
      mainFields: ["module", "main"],
      legalComments: "none",
      // What is CommonJS inside still asks for Node's own modules with require.
      banner: {
        js: 'import{createRequire as __c}from"node:module";const require=__c(import.meta.url);',
      },
    });
    console.log(`${outfile} ${Math.round(statSync(outfile).size / 1000)} kB`);
  }
}
