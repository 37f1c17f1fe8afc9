/** Builds wrong writes for a task: mistakes in place of gold writes, and writes that nobody asked for. */

import type { Database } from "../../../database.ts";
import type { WrongWrite } from "../../../domain.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { Task, ToolAction } from "../../../types.ts";
import { texts } from "../read_row.ts";

/** The maximum number of mistakes of each kind to try. */
export const MISTAKES_PER_KIND = 2;

/** The source of wrong values: the database, and the user's row in it. */
export interface ValueSource {
  readonly database: Database;
  readonly user: JsonObject | undefined;
}

/** The mistakes that agents can make in a domain. */
interface MistakeRules {
  /** Returns variants of a call, each with one wrong value. */
  mistakes(action: ToolAction, of: ValueSource): readonly ToolAction[];
  /** Returns an additional write that the task does not ask for. */
  readonly further: (task: Task) => ToolAction;
  /**
   * The rows that a user owns. `table` is the name of the table, and also of the field in the user's row that lists
   * their ids. `argument` is the name of the argument with which a call identifies such a row.
   */
  readonly rows: { readonly table: string; readonly argument: string };
  /**
   * Returns additional writes to the row with the given id. The user owns this row, but the task does not change it.
   */
  untouched(id: string): readonly ToolAction[];
}

/** Returns the wrong writes to try for a task: gold writes with a mistake, and writes that nobody asked for. */
export function wrongWritesFor(
  task: Task,
  { database, wrong }: {
    readonly database: Database;
    readonly wrong: MistakeRules;
  },
): WrongWrite[] {
  const user = database.get("users", task.userId);
  const { table, argument } = wrong.rows;
  const touched = new Set(
    task.actions.map(({ arguments: args }) => args.get(argument)),
  );
  const others = texts(user, table).filter((id) => !touched.has(id));
  const further = [
    wrong.further(task),
    ...others.slice(0, MISTAKES_PER_KIND).flatMap((id) => wrong.untouched(id)),
  ];
  return [
    ...task.actions.flatMap((action, insteadOf) =>
      wrong.mistakes(action, { database, user }).map((other) => ({
        action: other,
        insteadOf,
      }))
    ),
    ...further.map((action) => ({ action })),
  ];
}
