/** Tracks what the expert has learned about a user's problem. */

import type { Desk, Script } from "../../../agents/desk.ts";
import { isErrorAnswer } from "../../../call_tool.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../../python/python_json.ts";
import { call } from "../../shared/call.ts";
import { switchesShown } from "../user/phone_reports.ts";
import type { Switch } from "../user/phone_topics.ts";

/**
 * A transfer to a human agent, with its reason. A troubleshooting step returns a transfer if it cannot fix the problem.
 */
export class Transfer {
  constructor(readonly reason: string) {}
}

/** The facts about a user's problem that the user has stated or a tool has shown to the expert. */
export class Case {
  readonly desk: Desk;
  readonly customerId: string;
  /** The row of the user's line, as a tool showed it when the user was identified. */
  line: JsonObject;
  /** The states of the phone's switches, as the user last reported them. */
  readonly switches = new Map<Switch, boolean>();

  constructor(
    desk: Desk,
    { customerId, line }: { customerId: string; line: JsonObject },
  ) {
    this.desk = desk;
    this.customerId = customerId;
    this.line = line;
  }

  get lineId(): string {
    return String(this.line.get("line_id"));
  }

  /** The arguments that identify the line in tool calls. */
  get owned(): { readonly customer_id: string; readonly line_id: string } {
    return { customer_id: this.customerId, line_id: this.lineId };
  }

  /**
   * Asks the user a question, and records the switch states that the answer contains.
   * @returns The answer in lower case.
   */
  *ask(words: string): Script<string> {
    const reply = yield* this.desk.say(words);
    for (const [name, isOn] of switchesShown(reply)) {
      this.switches.set(name, isOn);
    }
    return reply;
  }
}

/** Calls a tool and returns its parsed result, or `undefined` if the result is an error. */
export function* look(
  desk: Desk,
  name: string,
  fields: Readonly<Record<string, JsonValue>>,
): Script<JsonValue | undefined> {
  const shown = yield* desk.call(call(name, fields));
  return isErrorAnswer(shown) ? undefined : parsePythonJson(shown);
}

/** Looks up a row by its id, or returns `undefined` if there is none. */
export function* lookUp(
  desk: Desk,
  id: string,
): Script<JsonObject | undefined> {
  const shown = yield* look(desk, "get_details_by_id", { id });
  return shown instanceof Map ? shown : undefined;
}
