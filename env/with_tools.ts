/** Adds custom tools to a dataset, in addition to the tools of its domain. */

import type { Database } from "./database.ts";
import { domainKey, domainOf } from "./domains/registry.ts";
import { ConfigError } from "./errors.ts";
import { sha256 } from "./state_hash.ts";
import { type Arguments, defineTool } from "./tool.ts";
import type { Dataset, ToolSchema } from "./types.ts";

/** A custom tool: the description that models read, and the function that runs. */
export interface CustomTool<P extends string = string> {
  readonly name: string;
  readonly description: string;
  /**
   * The JSON schemas of the parameters, keyed by name, in the order in which models read them. All parameters are
   * required.
   */
  readonly parameters: Readonly<Record<P, Readonly<Record<string, unknown>>>>;
  /**
   * Runs the tool and returns the text that the agent reads. It may read and write only the database, because grading
   * replays calls. Arguments are not checked against the schemas.
   * @throws {ToolError} If the agent made a mistake. The agent reads the message after `Error: `.
   */
  readonly run: (database: Database, args: Arguments<P>) => string;
}

/** Returns the tool unchanged. The names of its parameters are inferred, so that the arguments of `run` are typed. */
export function customTool<const P extends string>(
  tool: CustomTool<P>,
): CustomTool {
  // `defineTool` binds exactly the tool's parameters before it runs.
  return tool as unknown as CustomTool;
}

/**
 * Returns a copy of the dataset with additional tools. Models see them, and environments run them. Tasks, rows and
 * policy stay the same. The fingerprint changes with the tools' schemas and the source text of their `run`.
 * @throws {ConfigError} If two tools have the same name.
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
  rejectTakenNames(dataset, schemas);
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

/**
 * Throws if the name of a custom tool is taken. The domain's tools that models do not see count too, because a call
 * with that name would run them.
 * @throws {ConfigError} If the domain or another custom tool has the name.
 */
function rejectTakenNames(
  dataset: Dataset,
  schemas: readonly ToolSchema[],
): void {
  const taken = new Set(domainOf(dataset).tools.map(({ name }) => name));
  const added = new Set<string>();
  for (const { function: { name } } of schemas) {
    if (taken.has(name) || added.has(name)) {
      const why = taken.has(name)
        ? `the "${domainKey(dataset)}" dataset already has a tool`
        : "there is another custom tool";
      throw new ConfigError(
        `Cannot add the tool "${name}": ${why} with this name`,
        { hint: "choose another name for the custom tool" },
      );
    }
    added.add(name);
  }
}
