/** The scripted user: deterministic, without a model. Who it is and what it says is its domain's part. */

import { partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import type { Dataset, UserFactory } from "../types.ts";
import { labelled } from "./_label.ts";
import { scriptUser } from "./script_user.ts";

/**
 * Makes scripted users for the tasks of a dataset.
 * @param dataset Where the users' own profiles and rows are looked up; only read.
 * @throws {MissingPartError} If the dataset's domain has no scripted user.
 * @throws {DataError} From the factory, if a τ-bench task names a user that the database lacks.
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
