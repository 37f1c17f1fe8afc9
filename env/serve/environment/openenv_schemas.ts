/** Defines the JSON Schemas of actions, observations and states for OpenEnv clients. */

import type { Dataset } from "../../types.ts";

const TEXT = { type: "string" } as const;
const COUNT = { type: "integer", minimum: 0 } as const;

/** Returns the response to `GET /schema`. */
export function openEnvSchemas({ tools }: Pick<Dataset, "tools">) {
  const names = tools.map((tool) => tool.function.name);
  return {
    action: {
      title: "TaulabAction",
      type: "object",
      oneOf: [
        {
          description: "Say something to the user",
          properties: { type: { const: "respond" }, content: TEXT },
          required: ["type", "content"],
        },
        {
          description: "Call a tool",
          properties: {
            type: { const: "call_tool" },
            tool_name: { enum: names },
            arguments: {
              description: "A JSON object, or a string that contains one",
              type: ["object", "string"],
            },
            content: {
              ...TEXT,
              description:
                "Text that accompanies the call; the user does not see it",
            },
          },
          required: ["type", "tool_name", "arguments"],
        },
      ],
      available_tools: tools,
    },
    observation: {
      title: "TaulabObservation",
      type: "object",
      properties: {
        source: { enum: ["user", "tool"] },
        content: TEXT,
        tool_name: TEXT,
        stop_reason: TEXT,
        session_id: TEXT,
        messages: {
          type: "array",
          description: "After a reset: the start of the conversation",
        },
        tools: {
          type: "array",
          description: "After a reset: the tools, in OpenAI's format",
        },
      },
      required: ["source", "content"],
    },
    state: {
      title: "TaulabState",
      type: "object",
      properties: {
        episode_id: { type: ["string", "null"] },
        step_count: COUNT,
        task_id: TEXT,
        split: TEXT,
        task: COUNT,
        seed: COUNT,
        done: { type: "boolean" },
        stop_reason: { type: ["string", "null"] },
        reward: { type: ["number", "null"] },
      },
      required: ["episode_id", "step_count"],
    },
  };
}
