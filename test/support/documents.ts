/**
 * Reads the Markdown files of the project. Skips dot folders and generated folders, such as `node_modules` and `runs`.
 */

import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A Markdown file of the project. */
export interface Document {
  /** The path relative to the root of the project, such as `env/README.md`. */
  readonly path: string;
  readonly text: string;
}

/** Returns the Markdown files of the project, sorted by path. */
export async function readDocuments(): Promise<readonly Document[]> {
  const paths = await Array.fromAsync(markdown(ROOT));
  return await Promise.all(
    paths.toSorted().map(async (path) => ({
      path: relative(ROOT, path),
      text: await Deno.readTextFile(path),
    })),
  );
}

const WRITTEN = new Set(["coverage", "node_modules", "executed"]);

async function* markdown(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const isOurs = !name.startsWith(".") && !WRITTEN.has(name) &&
      path !== join(ROOT, "runs");
    if (isDirectory && isOurs) yield* markdown(path);
    else if (name.endsWith(".md")) yield path;
  }
}

/** Returns the contents of a document's code blocks in one language. */
export function blocksOf({ text }: Document, language: string): string[] {
  const blocks = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...text.matchAll(blocks)].map(([, code = ""]) => code);
}
