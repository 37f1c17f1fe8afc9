/**
 * Reads the files of the viewer's page, which are plain HTML, CSS and ES modules. All files are served unchanged except
 * `fields.js`, which is generated.
 */

import { extname } from "node:path";
import { FIELDS } from "./page/fields.js";

/** The page's modules. Each module comes after the modules that it imports, so that all can be joined into one file. */
export const PAGE_MODULES = [
  "fields.js",
  "filter.js",
  "dom.js",
  "text.js",
  "format.js",
  "api.js",
  "chart.js",
  "shell.js",
  "curves.js",
  "comparison.js",
  "runs_table.js",
  "runs_view.js",
  "paired.js",
  "compare_view.js",
  "virtual_rows.js",
  "filter_bar.js",
  "timeline.js",
  "run_parts.js",
  "advisories.js",
  "table_view.js",
  "conversation.js",
  "database.js",
  "tokens.js",
  "group.js",
  "checks.js",
  "episode_view.js",
  "keyboard.js",
  "main.js",
] as const;

/** All files that are served under `/page/`. */
export const PAGE_FILES = ["style.css", "icon.svg", ...PAGE_MODULES] as const;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** Reads a file of the page, and returns its text and content type. */
export async function readPageFile(
  name: string,
): Promise<{ text: string; type: string }> {
  const text = name === "fields.js"
    ? fieldsModule()
    : await Deno.readTextFile(new URL(`page/${name}`, import.meta.url));
  return { text, type: TYPES[extname(name)] ?? "text/plain" };
}

/**
 * Returns the source of `fields.js`, which contains the table of filter fields. Browsers cannot import this table from
 * TypeScript.
 */
function fieldsModule(): string {
  const shown = Object.entries(FIELDS)
    .map(([name, { is, choice }]) => [name, { is, choice }]);
  const json = JSON.stringify(Object.fromEntries(shown));
  return `export const FIELDS = ${json};\n`;
}
