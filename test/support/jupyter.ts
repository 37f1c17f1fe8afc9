/** Executes notebooks in Jupyter, with the tests' Python and separate directories. */

import assert from "node:assert/strict";
import { z } from "zod";
import {
  executeNotebook,
  type Execution,
} from "../../notebooks/jupyter/execute.ts";
import type { Notebook } from "../../notebooks/jupyter/notebook_file.ts";
import { testPython } from "./python.ts";

const bundle = z.record(z.string(), z.unknown());

const executedSchema = z.object({
  cells: z.array(z.object({
    id: z.string(),
    cell_type: z.string(),
    outputs: z.array(z.object({ data: bundle.optional() })).default([]),
  })),
});

/** The output of an executed notebook. */
export interface Shown {
  /** The displayed texts of each cell, keyed by the cell's id. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  /** The MIME bundles of all outputs. */
  readonly bundles: readonly Readonly<Record<string, unknown>>[];
}

/** Executes a notebook in Jupyter. The directory of its output is removed afterwards. */
export async function executeInJupyter(
  notebook: Notebook,
  options: { readonly timeoutS?: number; readonly signal?: AbortSignal } = {},
): Promise<{ readonly execution: Execution; readonly shown: Shown | null }> {
  const python = testPython();
  assert.ok(python !== undefined);
  const dir = await Deno.makeTempDir();
  try {
    const execution = await executeNotebook(notebook, {
      python,
      out: dir,
      home: dir,
      timeoutS: 300,
      ...options,
    });
    const { executed } = execution;
    return {
      execution,
      shown: executed === null
        ? null
        : shownIn(JSON.parse(await Deno.readTextFile(executed))),
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function shownIn(file: unknown): Shown {
  const { cells } = executedSchema.parse(file);
  const texts = cells.filter((cell) => cell.cell_type === "code").map(
    ({ id, outputs }) =>
      [id, outputs.map(({ data }) => textOf(data?.["text/plain"]))] as const,
  );
  return {
    texts: new Map(texts),
    bundles: cells.flatMap(({ outputs }) =>
      outputs.flatMap(({ data }) => data === undefined ? [] : [data])
    ),
  };
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join("") : String(value ?? "");
}
