/**
 * Type-checks notebooks by concatenating the code cells of each notebook into one module.
 *
 * Since cells share one scope when they run, declaring the same name in two cells is an error.
 */

import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { codeCells, type Notebook } from "./notebook_file.ts";

/** The result of a type check. */
export interface TypeReport {
  /** The compiler's errors, with positions given as notebook, cell and line. Empty if there are none. */
  readonly text: string;
  /** The names of the notebooks with errors. */
  readonly failed: ReadonlySet<string>;
}

/** Options for {@linkcode checkNotebooks}. */
export interface CheckOptions {
  /** The path of the `deno.json` file with the imports and compiler options to use. */
  readonly config: string;
  readonly signal?: AbortSignal | undefined;
}

/** Type-checks all code cells of notebooks. Uses a temporary directory, which is removed afterwards. */
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

/** The code of a notebook as one module. */
export interface NotebookModule {
  /** The code, with relative imports resolved against the notebook's directory. */
  readonly code: string;
  /**
   * The position of each line of the code in the notebook: the one-based number of its cell among all cells, and the
   * line within the cell.
   */
  readonly places: readonly { readonly cell: number; readonly line: number }[];
}

/** Concatenates the code cells of a notebook into one module. */
export function moduleOf(notebook: Notebook): NotebookModule {
  const lines = codeCells(notebook).flatMap((cell) =>
    cell.source.split("\n").map((text, i) => ({
      text,
      place: { cell: notebook.cells.indexOf(cell) + 1, line: i + 1 },
    }))
  );
  const code = lines.map(({ text }) => text).join("\n");
  return {
    // The last line makes it a module even if nothing is imported.
    code: `${absoluteImports(code, dirname(notebook.path))}\nexport {};\n`,
    places: lines.map(({ place }) => place),
  };
}

/** Rewrites relative specifiers after `from`, `import` and `import(` to absolute `file:` URLs. */
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
