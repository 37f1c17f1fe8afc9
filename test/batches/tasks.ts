/** Runs the tests of the batch `tasks`. */

import { importBatch } from "../support/batches.ts";

await importBatch("tasks");
