/** Extracts the stop tool and the stop token of τ³-bench's solo agent from a checkout. */

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

/** The solo agent's stop tool, and the token that replaces a call to it. */
export interface SoloAgent {
  readonly tool: ToolSchema;
  readonly token: string;
}

/**
 * Reads the stop tool and the stop token from `agent/llm_agent.py`.
 * @throws {DataError} If the class, one of its constants or the stop tool's function is missing; the message names the
 * file.
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
    throw unreadable(source, body, `LLMSoloAgent has no string ${name}`);
  };
  const name = await text("STOP_FUNCTION_NAME");
  const adds = definition(source, body, "FunctionDefinition", "add_stop_tool");
  const tool = adds &&
    definition(source, bodyOf(adds), "FunctionDefinition", name);
  if (tool === undefined) {
    throw unreadable(source, body, `add_stop_tool() defines no tool "${name}"`);
  }
  return {
    tool: await schemaOf(modules, source, tool),
    token: await text("STOP_TOKEN"),
  };
}
