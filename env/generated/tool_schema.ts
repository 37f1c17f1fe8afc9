/** Builds the tool schemas that models read. */

import type { ToolSchema } from "../types.ts";

type Parameter = Readonly<Record<string, unknown>>;

/** Creates the schema of a tool whose parameters are all required. */
export function tool(
  name: string,
  description: string,
  properties: Readonly<Record<string, Parameter>>,
): ToolSchema {
  const parameters = objectOf(properties);
  return { type: "function", function: { name, description, parameters } };
}

/** Creates the schema of a string parameter. */
export function text(description: string): Parameter {
  return { type: "string", description };
}

/** Creates the schema of an object whose fields are all required. */
export function objectOf(properties: Readonly<Record<string, Parameter>>) {
  const required = Object.keys(properties);
  return { type: "object", properties, required };
}

/** The schemas of tools that several domains share. */
export const deskTools = {
  calculate: tool("calculate", "Works out an arithmetic expression.", {
    expression: text("Numbers, + - * / and parentheses, such as 12.5 + 3 * 4"),
  }),
  think: tool("think", "Takes a note. Changes nothing and shows nothing.", {
    thought: text("The note"),
  }),
  transfer: tool(
    "transfer_to_human_agents",
    "Hands the customer over to a person and ends the conversation. Only where no other tool can help.",
    { summary: text("What the customer wants and what has been done") },
  ),
};
