/** Writes notebooks for tests. */

import { join } from "node:path";

/**
 * Writes a notebook with a heading and the given code cells, whose ids are `c0`, `c1`, ….
 * @returns The path of the notebook.
 */
export async function writeNotebook(
  dir: string,
  name: string,
  code: readonly string[],
): Promise<string> {
  const heading = {
    cell_type: "markdown",
    id: "heading",
    metadata: {},
    source: [`# ${name}`],
  };
  const cells = code.map((text, i) => ({
    cell_type: "code",
    execution_count: null,
    id: `c${i}`,
    metadata: {},
    outputs: [],
    source: text.split(/(?<=\n)/),
  }));
  const path = join(dir, `${name}.ipynb`);
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      cells: [heading, ...cells],
      metadata: {
        kernelspec: {
          display_name: "Deno",
          language: "typescript",
          name: "deno",
        },
      },
      nbformat: 4,
      nbformat_minor: 5,
    }),
  );
  return path;
}
