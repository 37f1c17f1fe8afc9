/** The frame of writes that would be wrong: mistakes in the gold's place, and what nobody asked for. */

import type { Database } from "../../../database.ts";
import type { Stray } from "../../../domain.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { Task, ToolAction } from "../../../types.ts";
import { texts } from "../read_row.ts";

/** Of each kind of mistake so many are tried. */
export const OF_A_KIND = 2;

/** Where mistakes are made. */
export interface Of {
  readonly database: Database;
  readonly user: JsonObject | undefined;
}

/** What a domain's agents get wrong. */
interface Wrong {
  /** The same call with one thing wrong. */
  mistakes(action: ToolAction, of: Of): readonly ToolAction[];
  /** A write that concerns no row of the user's. */
  readonly further: (task: Task) => ToolAction;
  /** The user's rows, by the profile's field and the argument that names one. */
  readonly rows: { readonly table: string; readonly argument: string };
  /** Writes to a row that the task is not about. */
  untouched(id: string): readonly ToolAction[];
}

/** The wrong writes of a task. */
export function straysOf(
  task: Task,
  { database, wrong }: { readonly database: Database; readonly wrong: Wrong },
): Stray[] {
  const user = database.get("users", task.userId);
  const { table, argument } = wrong.rows;
  const touched = new Set(
    task.actions.map(({ arguments: args }) => args.get(argument)),
  );
  const others = texts(user, table).filter((id) => !touched.has(id));
  const further = [
    wrong.further(task),
    ...others.slice(0, OF_A_KIND).flatMap((id) => wrong.untouched(id)),
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
