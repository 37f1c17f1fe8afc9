/** Implements the scripted user, which is deterministic and uses no model. The domain defines what the user says. */

import { partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import type { Dataset, UserFactory } from "../types.ts";
import { labelled } from "./_label.ts";
import { scriptUser } from "./script_user.ts";

/**
 * Creates scripted users for the tasks of a dataset.
 * @param dataset The source of the users' profiles and rows; it is not modified.
 * @throws {MissingPartError} If the dataset's domain has no scripted user.
 * @throws {DataError} If the user of a τ-bench task is not in the database; thrown by the returned factory.
 */
export function scriptedUser(
  dataset: Pick<Dataset, "benchmark" | "domain" | "database">,
): UserFactory {
  const domain = domainOf(dataset);
  const act = domain.bundle?.scriptedUser;
  if (act !== undefined) {
    return labelled(
      "scripted",
      (task, { seed }) => scriptUser(act({ task, seed })),
    );
  }
  const play = partOf(domain, "scriptedUser");
  const { database } = dataset;
  return labelled(
    "scripted",
    (task, { seed }) => play({ task, database, seed }),
  );
}
