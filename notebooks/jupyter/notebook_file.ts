/**
 * Reads the cells of notebook files. Other parts of the files are ignored.
 *
 * @see nbformat 4.5, https://nbformat.readthedocs.io/en/latest/format_description.html
 */

import { basename, join } from "node:path";
import { z } from "zod";
import { ConfigError, messageOf } from "../../env/errors.ts";
import { explainIssue, suggestion } from "../../env/schema_issue.ts";

const text = z.union([z.string(), z.array(z.string())])
  .transform((lines) => typeof lines === "string" ? lines : lines.join(""));

const cellSchema = z.object({
  cell_type: z.enum(["code", "markdown", "raw"]),
  id: z.string(),
  source: text,
  execution_count: z.int().nullish(),
  outputs: z.array(z.unknown()).default([]),
});

const fileSchema = z.object({
  nbformat: z.literal(4),
  cells: z.array(cellSchema),
});

/** A cell of a notebook. */
export type Cell = z.infer<typeof cellSchema>;

/** A notebook file and its cells. */
export interface Notebook {
  /** The file name without `.ipynb`. */
  readonly name: string;
  readonly path: string;
  readonly cells: readonly Cell[];
}

/** Returns the code cells of a notebook. */
export function codeCells({ cells }: Pick<Notebook, "cells">): Cell[] {
  return cells.filter((cell) => cell.cell_type === "code");
}

/**
 * Reads a notebook.
 * @throws {ConfigError} If the file does not exist or is not a valid notebook in nbformat 4.5.
 */
export async function readNotebook(path: string): Promise<Notebook> {
  const parsed = fileSchema.safeParse(await readJson(path));
  if (parsed.success) {
    const { cells } = parsed.data;
    return { name: basename(path, ".ipynb"), path, cells };
  }
  const issue = parsed.error.issues[0]!;
  const key = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new ConfigError(
    `"${path}" is not a valid notebook in nbformat 4.5: ${key}${
      explainIssue(issue, undefined)
    }`,
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const isRefused = !(error instanceof SyntaxError) &&
      !(error instanceof Deno.errors.NotFound);
    if (isRefused) throw error;
    throw new ConfigError(
      error instanceof Deno.errors.NotFound
        ? `There is no notebook "${path}"`
        : `"${path}" is not a notebook: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Reads the named notebooks of a directory, in the order of the names. Without names, reads all notebooks in it, sorted
 * by name.
 * @param names Names with or without `.ipynb`.
 * @throws {ConfigError} If a notebook does not exist or is damaged. The hint for a missing notebook contains a similar
 * name or all names, or suggests another directory if `dir` has no notebooks.
 */
export async function readNotebooks(
  dir: string,
  names: readonly string[] = [],
): Promise<Notebook[]> {
  const entries = await Array.fromAsync(Deno.readDir(dir));
  const all = entries.filter(({ name }) => name.endsWith(".ipynb"))
    .map(({ name }) => basename(name, ".ipynb")).sort();
  const wanted = names.map((name) => basename(name, ".ipynb"));
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError(
      `There is no notebook "${unknown}" in "${dir}"`,
      {
        hint: all.length === 0
          ? "pass the directory that contains the notebooks as --dir"
          : suggestion(unknown, all).replace(/^; /, "") ||
            `pass ${all.length === 1 ? "" : "one of "}${
              all.map((name) => `"${name}"`).join(", ")
            }`,
      },
    );
  }
  return await Promise.all(
    (wanted.length === 0 ? all : wanted)
      .map((name) => readNotebook(join(dir, `${name}.ipynb`))),
  );
}
