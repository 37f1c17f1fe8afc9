/** A user's problem that is being worked on: what is known of them and their line. */

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

/** Why a case is passed on to a person. */
export class PassOn {
  constructor(readonly reason: string) {}
}

/** What is known in a case. Everything in it was said or shown. */
export class Case {
  readonly desk: Desk;
  readonly customerId: string;
  /** As last shown. */
  line: JsonObject;
  /** How the phone's switches stand, as far as the user has said. */
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

  /** What tools that act on the line are told. */
  get owned(): { readonly customer_id: string; readonly line_id: string } {
    return { customer_id: this.customerId, line_id: this.lineId };
  }

  /** Asks the user something; returns their answer, lower case. */
  *ask(words: string): Script<string> {
    const reply = yield* this.desk.say(words);
    for (const [name, isOn] of switchesShown(reply)) {
      this.switches.set(name, isOn);
    }
    return reply;
  }
}

/** Calls a tool that shows an object or a list; `undefined` where it shows an error. */
export function* look(
  desk: Desk,
  name: string,
  fields: Readonly<Record<string, JsonValue>>,
): Script<JsonValue | undefined> {
  const shown = yield* desk.call(call(name, fields));
  return isErrorAnswer(shown) ? undefined : parsePythonJson(shown);
}

/** Calls a tool that shows an object; `undefined` where it shows none. */
export function* lookUp(
  desk: Desk,
  id: string,
): Script<JsonObject | undefined> {
  const shown = yield* look(desk, "get_details_by_id", { id });
  return shown instanceof Map ? shown : undefined;
}
