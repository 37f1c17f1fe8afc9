/**
 * Types of notebooks: the code cells of each, one after the other, as a module of its own.
 *
 * Cells share their names when they run, so they do here: a name that two cells declare is an error.
 */

import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { codeCells, type Notebook } from "./notebook_file.ts";

/** What the compiler says of notebooks. */
export interface TypeReport {
  /** Its words, places given as notebook, cell and line; empty where all is well. */
  readonly text: string;
  /** Names of the notebooks that it complains of. */
  readonly failed: ReadonlySet<string>;
}

/** Settings of {@linkcode checkNotebooks}. */
export interface CheckOptions {
  /** The deno.json whose imports and compiler options hold. */
  readonly config: string;
  readonly signal?: AbortSignal | undefined;
}

/** Checks the types of all cells. Writes to a directory of its own, and removes it. */
export async function checkNotebooks(
  notebooks: readonly Notebook[],
  { config, signal }: CheckOptions,
): Promise<TypeReport> {
  const dir = await Deno.makeTempDir({ prefix: "taulab-notebooks-" });
  try {
    const modules = notebooks.map((notebook) => ({
      ...moduleOf(notebook),
      notebook,
      file: join(dir, `${notebook.name}.ts`),
    }));
    await Promise.all(
      modules.map(({ file, code }) => Deno.writeTextFile(file, code)),
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--config",
        config,
        ...modules.map(({ file }) => file),
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...(signal === undefined ? {} : { signal }),
    }).output();
    signal?.throwIfAborted();
    if (success) return { text: "", failed: new Set() };
    return placed(new TextDecoder().decode(stderr), modules);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A notebook's code. */
export interface NotebookModule {
  /** Relative imports are as they are seen from the notebook. */
  readonly code: string;
  /** `[lines]`: of each line, from which cell it is, counted from 1 among all cells, and which line of it. */
  readonly places: readonly { readonly cell: number; readonly line: number }[];
}

/** The code cells of a notebook as one module. */
export function moduleOf(notebook: Notebook): NotebookModule {
  const lines = codeCells(notebook).flatMap((cell) =>
    cell.source.split("\n").map((text, i) => ({
      text,
      place: { cell: notebook.cells.indexOf(cell) + 1, line: i + 1 },
    }))
  );
  const code = lines.map(({ text }) => text).join("\n");
  return {
    // The last line makes a module of it, where nothing is imported.
    code: `${absoluteImports(code, dirname(notebook.path))}\nexport {};\n`,
    places: lines.map(({ place }) => place),
  };
}

/** `"./lib/x.ts"` as `"file:///…/lib/x.ts"`, behind `from`, `import` and `import(`. */
function absoluteImports(code: string, dir: string): string {
  const base = pathToFileURL(`${resolve(dir)}/`);
  return code.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.{1,2}\/[^"']+)\2/g,
    (_, before, quote, path) =>
      `${before}${quote}${new URL(path, base).href}${quote}`,
  );
}

function placed(
  words: string,
  modules: readonly (NotebookModule & { notebook: Notebook; file: string })[],
): TypeReport {
  const failed = new Set<string>();
  let text = words;
  for (const { file, notebook, places } of modules) {
    text = text.replaceAll(
      new RegExp(
        `${RegExp.escape(pathToFileURL(file).href)}:(\\d+):(\\d+)`,
        "g",
      ),
      (_, line, column) => {
        failed.add(notebook.name);
        const place = places[Number(line) - 1];
        return place === undefined
          ? notebook.name
          : `${notebook.name}, cell ${place.cell}, line ${place.line}:${column}`;
      },
    );
  }
  return { text: text.trim(), failed };
}
