/** The page's own files: plain HTML, CSS and ES modules, served as they are but for the fields of a filter. */

import { extname } from "node:path";
import { FIELDS } from "./page/fields.js";

/** The modules, each after those that it imports, so that one file can be made of them. */
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

/** All files under `/page/`. */
export const PAGE_FILES = ["style.css", "icon.svg", ...PAGE_MODULES] as const;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** A file of the page, with its type. */
export async function readPageFile(
  name: string,
): Promise<{ text: string; type: string }> {
  const text = name === "fields.js"
    ? fieldsModule()
    : await Deno.readTextFile(new URL(`page/${name}`, import.meta.url));
  return { text, type: TYPES[extname(name)] ?? "text/plain" };
}

/** A browser has no table of columns to make the fields of. */
function fieldsModule(): string {
  const shown = Object.entries(FIELDS)
    .map(([name, { is, choice }]) => [name, { is, choice }]);
  const json = JSON.stringify(Object.fromEntries(shown));
  return `export const FIELDS = ${json};\n`;
}
