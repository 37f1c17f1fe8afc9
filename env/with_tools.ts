/** A dataset with tools of your own beside its domain's. */

import type { Database } from "./database.ts";
import { domainKey, domainOf } from "./domains/registry.ts";
import { ConfigError } from "./errors.ts";
import { sha256 } from "./state_hash.ts";
import { type Arguments, defineTool } from "./tool.ts";
import type { Dataset, ToolSchema } from "./types.ts";

/** A tool of your own: what models are told of it, and what it does. */
export interface CustomTool<P extends string = string> {
  readonly name: string;
  readonly description: string;
  /** A JSON schema by parameter, in the order in which models read them. All are required. */
  readonly parameters: Readonly<Record<P, Readonly<Record<string, unknown>>>>;
  /**
   * Returns what the agent reads. It may read and write the database, and nothing else: tasks are graded by
   * replaying calls. What models send is not checked against the schemas.
   * @throws {ToolError} What the agent did wrong; it reads the words after `Error: `.
   */
  readonly run: (database: Database, args: Arguments<P>) => string;
}

/** Fixes the type of a tool's parameters, so that `run` gets them by name. */
export function customTool<const P extends string>(
  tool: CustomTool<P>,
): CustomTool {
  // `defineTool` binds every parameter of the tool before it runs, and no other.
  return tool as unknown as CustomTool;
}

/**
 * The dataset with further tools: models are told of them, environments carry them out. Tasks, rows and policy stay.
 * Its fingerprint is another one, by the tools' schemas and the text of their `run`.
 * @throws {ConfigError} If a tool has the name of another one.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { generated } from "./generated/generated.ts";
 * import { customTool, withTools } from "./with_tools.ts";
 *
 * const shop = withTools(await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 }), [
 *   customTool({
 *     name: "count_rows",
 *     description: "How many rows a table has.",
 *     parameters: { table: { type: "string" } },
 *     run: (database, { table }) => `${[...database.ids(String(table))].length}`,
 *   }),
 * ]);
 * equal(shop.tools.at(-1)?.function.name, "count_rows");
 * ```
 */
export function withTools(
  dataset: Dataset,
  tools: readonly CustomTool[],
): Dataset {
  if (tools.length === 0) return dataset;
  const schemas = tools.map(schemaOf);
  refuseNamesakes(dataset, schemas);
  const texts = tools.map(({ run }) => String(run));
  return {
    ...dataset,
    fingerprint: sha256([
      JSON.stringify([dataset.fingerprint, schemas, texts]),
    ]),
    tools: [...dataset.tools, ...schemas],
    ownTools: [
      ...dataset.ownTools ?? [],
      ...tools.map(({ name, parameters, run }) =>
        defineTool({ name, parameters: Object.keys(parameters), run })
      ),
    ],
  };
}

function schemaOf({ name, description, parameters }: CustomTool): ToolSchema {
  return {
    type: "function",
    function: {
      name,
      description,
      parameters: {
        type: "object",
        properties: parameters,
        required: Object.keys(parameters),
      },
    },
  };
}

/** Also those of the domain that models are not told of: they would be called in its place. */
function refuseNamesakes(
  dataset: Dataset,
  schemas: readonly ToolSchema[],
): void {
  const names = new Set(domainOf(dataset).tools.map(({ name }) => name));
  for (const { function: { name } } of schemas) {
    if (names.has(name)) {
      throw new ConfigError(
        `The tool "${name}" is there already in ${domainKey(dataset)}`,
        { hint: "give yours another name" },
      );
    }
    names.add(name);
  }
}
