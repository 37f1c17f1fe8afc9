/**
 * Replays recorded messages in a world: repeats the calls that write, and compares their results with the recorded
 * results.
 */

import { DataError } from "../../errors.ts";
import { isEqual } from "../../python/python_object.ts";
import { parsePythonJson } from "../../python/python_json.ts";
import type { JsonValue } from "../../python/python_value.ts";
import { RaisedError } from "./raised.ts";
import type { Tau3Call, Tau3Message, ToolMessage } from "./tau3_message.ts";
import { type Tau3World, toolNamed, type WorldSource } from "./tau3_world.ts";

/** Options for {@linkcode replayMessages}. */
export interface ReplaySettings {
  readonly source: WorldSource;
  /** Whether to reject messages from a user. Default: false. */
  readonly solo?: boolean;
  /** Whether the result of every repeated call must equal the recorded result. Default: true. */
  readonly strict?: boolean;
}

/**
 * Repeats the calls to tools that write, in order, and synchronizes the databases. Calls to other or unknown tools are
 * skipped.
 * @throws {RaisedError} If calls and results do not match, if `strict` is set and a result differs from the recorded
 * result, or if `solo` is set and there is a message from a user.
 */
export function replayMessages(
  world: Tau3World,
  messages: readonly Tau3Message[],
  { source, solo = false, strict = true }: ReplaySettings,
): void {
  if (solo && messages.some(({ role }) => role === "user")) {
    throw new RaisedError(
      "AssertionError",
      "Solo mode does not allow user messages",
    );
  }
  for (const [call, recorded] of answered(messages)) {
    if (toolNamed(source, call)?.kind !== "write") continue;
    const { content } = world.respond(call);
    if (!strict || isSameContent(content, recorded.content)) continue;
    throw new RaisedError(
      "ValueError",
      `The call "${call.name}" returns ${
        JSON.stringify(content)
      } instead of the recorded ${JSON.stringify(recorded.content)}`,
    );
  }
  world.sync();
}

/** Pairs the calls in messages with their results. */
function answered(
  messages: readonly Tau3Message[],
): [Tau3Call, ToolMessage][] {
  const pairs: [Tau3Call, ToolMessage][] = [];
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at];
    if (message?.role === "tool") {
      throw new RaisedError(
        "ValueError",
        `Message ${at} is a tool result without a preceding call`,
      );
    }
    for (const call of message?.toolCalls ?? []) {
      const answer = messages[++at];
      if (answer?.role !== "tool" || answer.id !== call.id) {
        throw new RaisedError(
          "ValueError",
          `Message ${at} is not the result of the call "${call.id}"`,
        );
      }
      pairs.push([call, answer]);
    }
  }
  return pairs;
}

/** Checks whether two tool results are equal. They are compared as JSON if both are JSON. */
function isSameContent(got: string | null, recorded: string | null): boolean {
  if (got === null || recorded === null) {
    throw new RaisedError("TypeError", "A tool result has no content");
  }
  // Equal texts need not be parsed, unless they contain NaN, which does not equal itself.
  if (got === recorded && !got.includes("NaN")) return true;
  return isEqual(valueOf(got), valueOf(recorded));
}

function valueOf(content: string): JsonValue {
  try {
    return parsePythonJson(content);
  } catch (error) {
    if (error instanceof DataError) return content;
    throw error;
  }
}
