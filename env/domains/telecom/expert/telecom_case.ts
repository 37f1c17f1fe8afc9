/** The state of a user's problem while the expert works on it. */

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

/** A transfer to a human agent, with its reason: the result of a step that cannot fix the problem. */
export class Transfer {
  constructor(readonly reason: string) {}
}

/** The known facts of a case. All of them were stated by the user or shown by a tool. */
export class Case {
  readonly desk: Desk;
  readonly customerId: string;
  /** The line as last shown. */
  line: JsonObject;
  /** The states of the phone's switches that the user has reported. */
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
   * Asks the user a question.
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

/** Calls a tool that returns an object or a list; `undefined` if it returns an error. */
export function* look(
  desk: Desk,
  name: string,
  fields: Readonly<Record<string, JsonValue>>,
): Script<JsonValue | undefined> {
  const shown = yield* desk.call(call(name, fields));
  return isErrorAnswer(shown) ? undefined : parsePythonJson(shown);
}

/** Calls a tool that returns an object; `undefined` if it returns anything else. */
export function* lookUp(
  desk: Desk,
  id: string,
): Script<JsonObject | undefined> {
  const shown = yield* look(desk, "get_details_by_id", { id });
  return shown instanceof Map ? shown : undefined;
}
