/** How the solo agent of a τ³-bench checkout ends its work: a tool of its own, and the word that stands for its call. */

import type { ToolSchema } from "../../../types.ts";
import {
  assignments,
  bodyOf,
  definition,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import {
  type PythonSource,
  unreadable,
} from "../../python_source/syntax_tree.ts";
import { schemaOf } from "./toolkit_schemas.ts";

/** The tool, as the model is told of it, and the word. */
export interface SoloAgent {
  readonly tool: ToolSchema;
  readonly token: string;
}

/**
 * Reads them out of `agent/llm_agent.py`.
 * @throws {DataError} If the class, the method or the function in it is missing; names the file.
 */
export async function readSoloAgent(
  modules: PythonModules,
  source: PythonSource,
): Promise<SoloAgent> {
  const owner = definition(
    source,
    source.root,
    "ClassDefinition",
    "LLMSoloAgent",
  );
  const body = bodyOf(owner ?? source.root);
  const values = assignments(body, source);
  const text = async (name: string) => {
    const node = values.get(name);
    const value = node && await modules.value(source, node);
    if (typeof value === "string") return value;
    throw unreadable(source, body, `LLMSoloAgent has no text ${name}`);
  };
  const name = await text("STOP_FUNCTION_NAME");
  const adds = definition(source, body, "FunctionDefinition", "add_stop_tool");
  const tool = adds &&
    definition(source, bodyOf(adds), "FunctionDefinition", name);
  if (tool === undefined) {
    throw unreadable(source, body, `add_stop_tool() makes no tool "${name}"`);
  }
  return {
    tool: await schemaOf(modules, source, tool),
    token: await text("STOP_TOKEN"),
  };
}
